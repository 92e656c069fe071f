// How long ago a moment was, and what has become too old since the page was written.
const told = (seconds) => {
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];
  for (const [size, unit] of units) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return "less than a minute";
};
for (const time of document.querySelectorAll("time[data-age]")) {
  const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
  if (seconds >= 0) time.nextElementSibling.textContent = ` (${told(seconds)} ago)`;
}
for (const mark of document.querySelectorAll("[data-stale-from]")) {
  mark.hidden = Date.now() < Date.parse(mark.dataset.staleFrom);
}
