"""CSV files in a drop folder: the newest, or all of those that match a glob.

Every value is a text without outer blanks, and an empty one stays empty: `007` and `NA` are what
was written. What a file must be to be read is in `specs/csv-and-api.md` part 1.
"""

from sources.csv_dataset import CsvConfig, CsvConnection
from sources.csv_reading import CsvReading
from sources.drop_source import drop_source

SOURCE = drop_source(CsvConfig, CsvConnection, CsvReading)
