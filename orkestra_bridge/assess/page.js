// Filters. Without JavaScript everything is shown, and the filters are not.
(function () {
  var bar = document.querySelector(".filters"), search = bar.querySelector("input[type=search]");
  var verdicts = bar.querySelectorAll("input[name=verdict]"), notes = bar.querySelector("input[name=notes]");
  bar.hidden = false;
  function apply() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean), wanted = {}, shown = 0;
    verdicts.forEach(function (box) { wanted[box.value] = box.checked; });
    document.querySelectorAll("[data-dag]").forEach(function (part) {
      var text = part.dataset.words;
      var fits = wanted[part.dataset.verdict] && words.every(function (word) { return text.indexOf(word) >= 0; });
      part.hidden = !fits;
      if (fits && part.tagName === "DETAILS") { shown += 1; }
    });
    document.querySelectorAll("tr.info").forEach(function (row) { row.hidden = !notes.checked; });
    document.querySelectorAll("table.findings").forEach(function (table) {
      table.hidden = !table.querySelector("tbody tr:not([hidden])");
    });
    bar.querySelector("output").value = shown + " shown";
  }
  bar.addEventListener("input", apply);
  apply();
})();
