"""Go as driver files and templates know it: text/template, regexp, YAML, fmt, time."""
