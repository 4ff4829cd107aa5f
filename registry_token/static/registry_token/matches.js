"use strict";
// Below each pattern: what it matches, shortly after the last key. The page "matches/" does without.
(function () {
    const DELAY = 300;
    const timers = new WeakMap();

    function regionOf(input) {
        let region = input.parentElement.querySelector(".matches");
        if (!region) {
            region = document.createElement("div");
            region.className = "matches help";
            region.setAttribute("aria-live", "polite");
            input.insertAdjacentElement("afterend", region);
        }
        return region;
    }

    function show(region, found) {
        const summary = document.createElement("p");
        summary.textContent = found.summary;
        const list = document.createElement("ul");
        for (const name of found.names) {
            const item = document.createElement("li");
            item.textContent = name;
            list.append(item);
        }
        region.replaceChildren(summary, ...(found.names.length ? [list] : []));
    }

    async function ask(input) {
        const pattern = input.value.trim();
        const region = regionOf(input);
        if (!pattern) {
            region.replaceChildren();
            return;
        }
        const url = `${input.dataset.matches}?pattern=${encodeURIComponent(pattern)}`;
        try {
            const response = await fetch(url, { credentials: "same-origin" });
            // An answer that comes late must not replace a newer one.
            if (response.ok && input.value.trim() === pattern) {
                show(region, await response.json());
            }
        } catch {
            region.replaceChildren();
        }
    }

    document.addEventListener("input", (event) => {
        const input = event.target;
        if (input.dataset && input.dataset.matches) {
            clearTimeout(timers.get(input));
            timers.set(input, setTimeout(ask, DELAY, input));
        }
    });
})();
