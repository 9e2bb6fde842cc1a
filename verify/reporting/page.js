"use strict";

(function () {
  const form = document.querySelector("form");
  const status = document.querySelector("[role=status]");
  const unfold = document.getElementById("unfold");
  const cards = Array.from(document.querySelectorAll("article"));
  const parts = Array.from(document.querySelectorAll(".part"));
  const folds = Array.from(document.querySelectorAll("article details"));

  function wanted(element) {
    return ["verdict", "section"].every(function (name) {
      const value = form.elements[name].value;
      return value === "" || value === element.dataset[name];
    });
  }

  function note(card, link) {
    const words = function (selector) { return card.querySelector(selector).textContent.trim(); };
    return "@misc{robustmath-" + card.id + ",\n"
      + "  title = {robustmath on claim " + card.id + " of arXiv 2006.09365: "
      + card.dataset.verdict + "},\n"
      + "  note = {" + words(".sentence") + "},\n"
      + "  howpublished = {" + link + "}\n}\n";
  }

  function apply() {
    cards.forEach(function (element) {
      element.hidden = !wanted(element);
    });
    parts.forEach(function (part) {
      part.hidden = !part.querySelector("article:not([hidden])");
    });
    const shown = cards.filter(wanted).length;
    status.textContent = shown + " of " + cards.length + " claims shown";
  }

  function fold(open) {
    folds.forEach(function (element) {
      element.open = open;
    });
    unfold.setAttribute("aria-pressed", String(open));
  }

  form.addEventListener("change", apply);
  form.addEventListener("submit", function (event) {
    event.preventDefault();
  });
  form.addEventListener("reset", function () {
    setTimeout(apply); // the fields have their values back only after this event
  });
  unfold.addEventListener("click", function () {
    fold(unfold.getAttribute("aria-pressed") !== "true");
  });
  document.querySelectorAll("[data-copy]").forEach(function (button) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", function () {
      const card = button.closest("article");
      const link = location.href.split("#")[0] + "#" + card.id;
      const copied = button.dataset.copy === "link" ? link : note(card, link);
      (navigator.clipboard ? navigator.clipboard.writeText(copied) : Promise.reject()).then(
        function () { button.textContent = "Copied"; },
        function () { button.textContent = "Not allowed here"; }
      );
      setTimeout(function () { button.textContent = label; }, 2000);
    });
  });
  form.hidden = false;
  apply();
})();
