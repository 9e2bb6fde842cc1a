"use strict";

(function () {
  const form = document.querySelector("form");
  const status = document.querySelector("[role=status]");
  const unfold = document.getElementById("unfold");
  const cards = Array.from(document.querySelectorAll("article"));
  const links = Array.from(document.querySelectorAll(".claims li"));
  const parts = Array.from(document.querySelectorAll(".part"));
  const folds = Array.from(document.querySelectorAll("article details"));

  function wanted(element) {
    return ["verdict", "section"].every(function (name) {
      const value = form.elements[name].value;
      return value === "" || value === element.dataset[name];
    });
  }

  function apply() {
    cards.concat(links).forEach(function (element) {
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
  window.addEventListener("beforeprint", function () {
    fold(true);
  });
  fold(false);
  form.hidden = false;
  apply();
})();
