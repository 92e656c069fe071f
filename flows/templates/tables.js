// Every table that has tools: search and a filter a column by ours, sorting and pages by DataTables.
// It is told which rows to show by what they show: its own search undoes escapes and line breaks.
for (const tools of document.querySelectorAll("[data-for]")) {
  const what = tools.dataset.what;
  const table = new DataTable(document.getElementById(tools.dataset.for), {
    autoWidth: false,
    order: [],
    pageLength: 25,
    layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: "paging" },
    language: {
      info: `_START_ to _END_ of _TOTAL_ ${what}`,
      infoEmpty: `no ${what}`,
      infoFiltered: "(of _MAX_)",
      emptyTable: `no ${what}`,
      zeroRecords: `no ${what} match`,
    },
    columnDefs: [{ targets: "fixed", orderable: false }],
  });
  const said = (cell) => cell.dataset.value ?? cell.textContent;
  const cells = table.rows().nodes().toArray().map((row) => [...row.cells].map(said));
  const texts = cells.map((row) => row.join("\n").toLowerCase());
  const box = tools.querySelector("input");
  const filters = [...tools.querySelectorAll("select")];
  table.search.fixed("tools", (_search, _data, row) => {
    const words = box.value.trim().toLowerCase();
    if (words && !texts[row].includes(words)) return false;
    return filters.every((each) => !each.value || cells[row][each.dataset.column] === each.value);
  });
  const draw = () => table.draw();
  box.addEventListener("input", draw);
  for (const filter of filters) filter.addEventListener("change", draw);
  tools.addEventListener("reset", () => setTimeout(draw));
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
  addEventListener("beforeprint", () => table.page.len(500).draw());
  addEventListener("afterprint", () => table.page.len(25).draw());
}
