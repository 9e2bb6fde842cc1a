"use strict";

/*
What the page shows and how it is changed. A position is where workers stand, s, the draw of
resampling, the rules shown and the rule to attack; written into the address it can be sent on, and
undo goes back along such addresses.

Coordinates of workers are whole numbers of rules.GRID, so that nothing is lost on the way.
*/
(function () {
    const {scenes, labels, edge, most} = JSON.parse(document.getElementById("data").textContent);
    const MARKS = {
        "mark-good": "M8 0A8 8 0 1 1-8 0A8 8 0 1 1 8 0Z",
        "mark-byzantine": "M-8-8L8 8M8-8L-8 8",
        "mark-plus": "M-12 0H12M0-12V12",
        "mark-average": "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0Z",
        "mark-spoilt": "M-4-4L4 4M4-4L-4 4",
        "mark-0": "M8 0A8 8 0 1 1-8 0A8 8 0 1 1 8 0Z",
        "mark-1": "M-7-7H7V7H-7Z",
        "mark-2": "M0-9L8 7H-8Z",
        "mark-3": "M0-10L8 0L0 10L-8 0Z",
        "mark-4": "M0 9L8-7H-8Z",
        "mark-5": "M-9 0L7-8V8Z",
        "mark-6": "M9 0L-7-8V8Z",
        "mark-7": "M0-9L9-2L5 8H-5L-9-2Z",
    };
    const DIRECTIONS = [0, 1, 2, 3, 4, 5, 6, 7].map(k => (k % 4) * Math.PI / 2 + (k > 3) * Math.PI / 4);
    const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1]};
    const KINDS = {true: "Byzantine", false: "good"};

    const element = id => document.getElementById(id);
    const board = element("board"), plane = element("plane");
    let state = null;        // {scene, s, seed, shown, target, good, bad}
    let chosen = 0;          // the worker that keys move
    let past = [];           // positions, as in the address, to go back to
    let present = "";
    const held = new Map();  // for every finger or mouse: the worker it drags, and where it took it

    // Positions

    function everyone(one = state) {
        return [...one.good, ...one.bad];
    }

    function vectors(one = state) {
        return everyone(one).map(([x, y]) => [x * rules.GRID, y * rules.GRID]);
    }

    function onGrid(point) {
        return point.map(x => Math.max(-edge, Math.min(edge, Math.round(x / rules.GRID) || 0)));
    }

    function fromScene(k) {
        const {good, bad, s, shown, target} = scenes[k];
        return {scene: k, s, seed: 0, shown: [...shown], target, good, bad};
    }

    function written(one) {
        const digits = points => points.flat().map(x => (x + edge).toString(36).padStart(2, "0"));
        return new URLSearchParams({
            scene: one.scene + 1,
            s: one.s,
            draw: one.seed,
            show: one.shown.map(k => k + 1).join(""),
            attack: one.target + 1,
            good: digits(one.good).join(""),
            byzantine: digits(one.bad).join(""),
        }).toString();
    }

    // The position in an address, null if it is none
    function read(text) {
        const fields = new URLSearchParams(text.replace(/^#/, ""));
        const number = (name, low, high) => {
            const value = fields.get(name) || "";
            return /^\d{1,9}$/.test(value) && value >= low && value <= high ? Number(value) : null;
        };
        const points = name => {
            const digits = fields.get(name) || "";
            if (!/^([0-9a-z]{4})*$/.test(digits)) {
                return null;
            }
            const numbers = (digits.match(/../g) || []).map(two => parseInt(two, 36) - edge);
            const pairs = numbers.flatMap((x, k) => (k % 2 ? [] : [[x, numbers[k + 1]]]));
            return numbers.every(x => x <= edge) ? pairs : null;
        };
        const [scene, target] = [number("scene", 1, scenes.length), number("attack", 1, 8)];
        const [s, seed] = [number("s", 1, 6), number("draw", 0, 999999999)];
        const [good, bad] = [points("good"), points("byzantine")];
        const show = fields.get("show") || "";
        const shown = [...new Set(show)].sort().map(digit => digit - 1);
        if ([scene, target, s, seed, good, bad].includes(null) || !/^[1-8]*$/.test(show)
            || good.length === 0 || good.length + bad.length > most) {
            return null;
        }
        return {scene: scene - 1, s, seed, shown, target: target - 1, good, bad};
    }

    // What follows from a position

    function slots(one) {
        return rules.drawSlots(everyone(one).length, one.s, rules.generator(one.seed));
    }

    function outcome(one) {
        const sent = vectors(one), rows = slots(one), m = one.good.length, f = one.bad.length;
        const found = {
            mean: rules.mean(sent.slice(0, m)),
            averages: rules.resample(sent, rows),
            spoilt: rows.map(row => row.some(j => j >= m)),
            results: new Map(),
            notes: [],
        };
        for (const k of one.shown) {
            const name = rules.RULES[k];
            const both = [rules.apply(name, sent, f)];
            if (one.s > 1) {
                both.push(rules.apply(name, found.averages, one.s * f));
            }
            found.results.set(k, both.map(({point}) => point));
            both.forEach(({note}, after) => {
                if (note) {
                    found.notes.push(`${name}${after ? " after resampling" : ""}: ${note}`);
                }
            });
        }
        return found;
    }

    function distance(found, point) {
        return rules.norm(rules.minus(point, found.mean));
    }

    function conclusion(found) {
        const n = everyone().length, f = state.bad.length;
        const text = `${f} of ${n} Byzantine, ${state.s > 1 ? "s = " + state.s : "no resampling"}`;
        const far = [...found.results].map(([k, points]) => [k, points[points.length - 1]])
            .filter(([, point]) => point).map(([k, point]) => [rules.RULES[k], distance(found, point)])
            .sort((one, other) => one[1] - other[1]);
        if (far.length === 0) {
            return text;
        }
        const [best, worst] = [far[0], far[far.length - 1]];
        const more = far.length > 1 ? `, ${best[0]} ${best[1].toFixed(1)}` : "";
        return `${text}:\n${worst[0]} is ${worst[1].toFixed(1)} off${more}`;
    }

    // Drawing

    function make(name, attributes, text) {
        const made = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(attributes)) {
            made.setAttribute(key, value);
        }
        if (text !== undefined) {
            made.textContent = text;
        }
        return made;
    }

    // Marks and letters keep their size on the screen, in two sizes, however large the plane is.
    function pixel() {
        const width = plane.clientWidth || 1080;
        return (width > 500 ? 1.35 : 1) * 1080 / width;
    }

    function at(point) {
        return `translate(${100 * point[0]} ${-100 * point[1]}) scale(${pixel()})`;
    }

    function mark(name, look, point, halo) {
        const group = make("g", {transform: at(point)});
        if (halo) {
            group.append(make("use", {href: `#mark-${name}`, class: "halo"}));
        }
        group.append(make("use", {href: `#mark-${name}`, class: look}));
        return group;
    }

    function drawGrid() {
        element("grid").replaceChildren();
        for (let k = -4; k <= 4; k += 2) {
            const look = k ? "grid" : "grid zero";
            const at0 = 540 - 6 * pixel(), size = `scale(${pixel()})`;
            element("grid").append(
                make("line", {x1: 100 * k, x2: 100 * k, y1: -540, y2: 540, class: look}),
                make("line", {y1: 100 * k, y2: 100 * k, x1: -540, x2: 540, class: look}),
                make("text", {
                    transform: `translate(${100 * k} ${at0}) ${size}`, class: "tick", dx: 3,
                }, k),
                make("text", {
                    transform: `translate(${-at0} ${-100 * k}) ${size}`, class: "tick", dy: -3,
                }, k),
            );
        }
    }

    // Marks to look at, and above each a button to take it by, which stays while it is moved
    function drawWorkers() {
        const points = vectors(), m = state.good.length, grips = element("grips");
        element("workers").replaceChildren(...points.map((point, k) => {
            const kind = k < m ? "good" : "byzantine";
            return mark(kind, kind, point, true);
        }));
        while (grips.children.length > points.length) {
            grips.lastChild.remove();
        }
        while (grips.children.length < points.length) {
            const grip = document.createElement("button");
            [grip.type, grip.className] = ["button", "worker"];
            grip.setAttribute("aria-roledescription", "worker");
            grips.append(grip);
        }
        points.forEach(([x, y], k) => {
            const grip = grips.children[k];
            [grip.style.left, grip.style.top] = [50 + x / 0.108, 50 - y / 0.108].map(z => `${z}%`);
            grip.tabIndex = k === chosen ? 0 : -1;
            grip.setAttribute("aria-label", described(k));
        });
    }

    function described(k) {
        const m = state.good.length, [x, y] = vectors()[k].map(value => value.toFixed(2));
        const number = k < m ? k + 1 : k - m + 1;
        return `${KINDS[k >= m]} worker ${number} at ${x}, ${y}`;
    }

    // The names of rules, each tied to its last mark from where, beside it, most room is
    function drawNames(found) {
        const size = pixel(), onScreen = ([x, y]) => [100 * x / size, -100 * y / size];
        const results = [...found.results.values()].flat().filter(point => point);
        const taken = [found.mean, ...vectors(), ...results].map(onScreen);
        return [...found.results].map(([k, points]) => [k, points.filter(p => p).pop()])
            .filter(([, point]) => point).map(([k, point]) => {
                const [x, y] = onScreen(point);
                const places = DIRECTIONS.map(
                    angle => [x + 34 * Math.cos(angle), y - 28 * Math.sin(angle)]);
                const room = places.map(place => Math.min(
                    22, ...taken.map(([x, y]) => rules.norm([0.8 * (x - place[0]), y - place[1]])),
                    ...place.map(z => 526 / size - Math.abs(z))));
                const [left, down] = places[room.indexOf(Math.max(...room))];
                taken.push([left, down]);
                const group = make("g", {transform: at(point)});
                const [dx, dy] = [left - x, down - y];
                group.append(
                    make("line", {x1: dx / 3, y1: dy / 3, x2: dx, y2: dy, class: "tie"}),
                    make("text", {class: "name", x: dx, y: dy}, labels[k]));
                return group;
            });
    }

    function draw() {
        const found = outcome(state), shown = new Map(found.results);
        element("conclusion").textContent = conclusion(found);
        drawWorkers();
        element("averages").replaceChildren(...(state.s > 1 ? found.averages : []).map(
            (point, t) => mark(...(found.spoilt[t] ? ["spoilt", "spoilt"] : ["average", "average"]),
                point)));
        const ring = make("circle", {r: 15, class: "ring", transform: at(vectors()[chosen])});
        element("ring").replaceChildren(ring);
        element("mean").replaceChildren(mark("plus", "plus", found.mean, true));
        const paths = [], results = [], names = [];
        for (const [k, points] of shown) {
            const there = points.filter(point => point);
            points.forEach((point, after) => {
                if (point) {
                    results.push(mark(k, after ? "resampled" : "sent", point, !after));
                }
            });
            if (there.length === 2) {
                const [[x1, y1], [x2, y2]] = there.map(([x, y]) => [100 * x, -100 * y]);
                paths.push(make("line", {x1, y1, x2, y2, class: "path"}));
            }
        }
        names.push(...drawNames(found));
        element("paths").replaceChildren(...paths);
        element("results").replaceChildren(...results, ...names);
        fillIn(found);
        return found;
    }

    function fillIn(found) {
        const {scene, s, target} = state;
        element("scene").value = scene;
        element("tale").textContent = scenes[scene].story;
        element("question").textContent = scenes[scene].question;
        element("hint").textContent = scenes[scene].hint;
        element("s").value = s;
        element("s-value").textContent = s;
        element("f-value").textContent = state.bad.length;
        element("target").value = target;
        element("fewer").disabled = state.bad.length === 0;
        element("more").disabled = everyone().length === most;
        element("add").disabled = everyone().length === most;
        element("undo").disabled = past.length === 0;
        element("draw").disabled = s === 1;
        element("notes").replaceChildren(...found.notes.map(note => {
            const item = document.createElement("li");
            item.textContent = note;
            return item;
        }));
        [...element("rules").children].forEach((row, k) => {
            row.querySelector("input").checked = state.shown.includes(k);
            row.querySelectorAll("td").forEach((cell, after) => {
                const point = (found.results.get(k) || [])[after];
                const far = point ? distance(found, point) : 0;
                const refused = found.results.has(k) && (after === 0 || s > 1);
                cell.lastChild.textContent = point ? far.toFixed(2) : refused ? "none" : "";
                cell.firstChild.style.width = `${Math.min(100, 20 * far)}%`;
            });
        });
    }

    let speaking = 0;

    function speak(text, found) {
        const far = [...found.results].map(([k, points]) => {
            const point = points[points.length - 1];
            return `${rules.RULES[k]} ${point ? distance(found, point).toFixed(2) : "refuses"}`;
        });
        const sentence = far.length ? `Distances to the mean of the good: ${far.join(", ")}.` : "";
        clearTimeout(speaking);
        speaking = setTimeout(() => {
            element("ears").textContent = `${text} ${sentence}`.trim();
        }, 400);
    }

    // Changing

    let addressing = 0;

    // Show another position; finished, it can be undone, and the address is that of it
    function change(part, message = "", spoken = message) {
        state = {...state, ...part};
        chosen = Math.min(chosen, everyone().length - 1);
        if (held.size === 0) {
            const now = written(state);
            if (present && now !== present) {
                past = [...past, present].slice(-500);
            }
            address(now);
        }
        element("message").textContent = message;
        element("address").hidden = true;
        speak(spoken, draw());
    }

    function address(now) {
        present = now;
        clearTimeout(addressing);
        const here = location.hash;
        addressing = setTimeout(() => {
            // A link that came in meanwhile is not overwritten.
            if (location.hash === here) {
                location.replace(`#${present}`);
            }
        }, 300);
    }

    function move(k, to) {
        const m = state.good.length;
        const points = everyone().map((point, j) => (j === k ? onGrid(to) : point));
        change({good: points.slice(0, m), bad: points.slice(m)}, "",
            held.size ? "" : `Worker at ${onGrid(to).map(x => (x * rules.GRID).toFixed(2)).join(", ")}.`);
    }

    function choose(k) {
        const n = everyone().length;
        chosen = (k + n) % n;
        draw();
        element("grips").children[chosen].focus({preventScroll: true});
    }

    function addOne(bad) {
        const {good, bad: others} = state;
        if (everyone().length === most) {
            change({}, `${most} workers are the most that there is room for.`);
            return;
        }
        const last = others[others.length - 1];
        const place = bad && last ? onGrid(last.map(x => x * rules.GRID + 0.4)) : [0, 0];
        chosen = bad ? good.length + others.length : good.length;
        change(bad ? {bad: [...others, place]} : {good: [...good, place]},
            `Added a ${KINDS[bad]} worker.`);
    }

    function remove(k) {
        const {good, bad} = state, m = good.length;
        if (k < m && m === 1) {
            change({}, "The last good worker stays.");
            return;
        }
        const without = (points, j) => points.filter((_, i) => i !== j);
        change({good: without(good, k), bad: without(bad, k - m)}, `Removed a ${KINDS[k >= m]} worker.`);
    }

    function copies(s) {
        change({s: Math.max(1, Math.min(6, s))}, "", `s = ${Math.max(1, Math.min(6, s))}.`);
    }

    function toggle(k) {
        const shown = state.shown.includes(k)
            ? state.shown.filter(j => j !== k) : [...state.shown, k].sort();
        change({shown});
    }

    function undo() {
        if (past.length === 0) {
            return;
        }
        state = read(past[past.length - 1]);
        address(past.pop());
        change({}, "Undone.");
    }

    function reset() {
        change(fromScene(state.scene), "As it began.");
    }

    // Where Byzantine workers do most harm to a rule: known attacks, then climbs from the best
    function attack() {
        const name = rules.RULES[state.target], f = state.bad.length;
        const refusal = rules.apply(name, rules.resample(vectors(), slots(state)), state.s * f);
        if (!refusal.point) {
            change({}, `No attack on ${name}: ${refusal.note}`);
            return;
        }
        if (f === 0) {
            change({}, "Nobody is Byzantine: add one first.");
            return;
        }
        change({bad: worst(name)}, `Attacks ${name}.`);
    }

    function worst(name, budget = 2000) {
        const {good, s, seed} = state, f = state.bad.length;
        const random = rules.generator(seed), rows = slots(state);
        const target = rules.mean(vectors({good, bad: []}));
        let best = {bad: state.bad, harm: -1};
        const attempt = points => {
            const bad = points.map(point => onGrid(point.map(x => x * rules.GRID)));
            const averages = rules.resample(vectors({good, bad}), rows);
            const {point} = rules.apply(name, averages, s * f);
            const harm = rules.norm(rules.minus(point, target));
            budget -= 1;
            return {bad, harm};
        };
        const keep = one => {
            if (one.harm > best.harm + 1e-12) {
                best = one;
                return true;
            }
            return false;
        };
        keep(attempt(state.bad));
        const corners = [[-1, -1], [-1, 1], [1, -1], [1, 1], [0, 1], [0, -1], [1, 0], [-1, 0]];
        const centre = onGrid(target);
        const places = [...corners.map(c => c.map(x => x * edge)), ...good,
            ...good.map(g => g.map((x, k) => 2 * centre[k] - x))];
        for (let k = 0; k < 60; k++) {
            places.push([0, 1].map(() => (2 * random() - 1) * edge));
        }
        places.forEach(place => keep(attempt(Array(f).fill(place))));
        const limit = budget;
        while (budget > 0) {
            // From the best so far, or now and then from anywhere
            let from = best;
            if (budget < limit && random() < 0.3) {
                from = attempt(state.bad.map(() => [0, 1].map(() => (2 * random() - 1) * edge)));
            }
            let size = edge / 2;
            for (let failures = 0; failures < 40 && size > 0.5 && budget > 0;) {
                const angle = 2 * Math.PI * random(), one = Math.floor(random() * (f + 1));
                const step = [size * Math.cos(angle), size * Math.sin(angle)];
                const tried = attempt(from.bad.map((point, k) => (
                    one === f || one === k ? [point[0] + step[0], point[1] + step[1]] : point)));
                if (tried.harm > from.harm + 1e-12) {
                    [from, size, failures] = [tried, size * 2, 0];
                } else {
                    [size, failures] = [size * 0.8, failures + 1];
                }
            }
            keep(from);
        }
        return best.bad;
    }

    async function copyLink() {
        const address = `${location.href.split("#")[0]}#${written(state)}`;
        location.replace(`#${written(state)}`);
        try {
            await navigator.clipboard.writeText(address);
            element("message").textContent = "The link is on the clipboard.";
            element("ears").textContent = "The link is on the clipboard.";
        } catch {
            element("message").textContent = "Copy the link from here:";
            element("address").hidden = false;
            element("address").value = address;
            element("address").select();
        }
    }

    // Mouse, fingers, keys

    function under(event) {
        const box = plane.getBoundingClientRect(), scale = 10.8 / box.width;
        return [
            (event.clientX - box.left) * scale - 5.4,
            5.4 - (event.clientY - box.top) * scale,
        ];
    }

    board.addEventListener("pointerdown", event => {
        if (event.button !== 0) {
            return;
        }
        const point = under(event), reach = (event.pointerType === "mouse" ? 16 : 24) * pixel() / 100;
        const taken = new Set([...held.values()].map(({k}) => k));
        let nearest = null;
        vectors().forEach((place, k) => {
            const far = rules.norm(rules.minus(place, point));
            // Of workers in one place the last is on top.
            if (far <= reach && !taken.has(k) && !(nearest && nearest.far < far)) {
                nearest = {k, far, offset: rules.minus(place, point)};
            }
        });
        if (nearest) {
            event.preventDefault();
            board.setPointerCapture(event.pointerId);
            held.set(event.pointerId, nearest);
            choose(nearest.k);
        }
    });
    board.addEventListener("pointermove", event => {
        const grip = held.get(event.pointerId);
        if (grip) {
            const [x, y] = under(event);
            move(grip.k, [x + grip.offset[0], y + grip.offset[1]]);
        }
    });
    for (const end of ["pointerup", "pointercancel"]) {
        board.addEventListener(end, event => {
            if (held.delete(event.pointerId)) {
                change({});
            }
        });
    }

    const KEYS = {
        ".": () => choose(chosen + 1),
        ",": () => choose(chosen - 1),
        "g": () => addOne(false),
        "b": () => addOne(true),
        "Delete": () => remove(chosen),
        "Backspace": () => remove(chosen),
        "t": () => aim((state.target + 1) % rules.RULES.length),
        "a": attack,
        "n": () => change({seed: state.seed + 1}, "", "Another draw."),
        "+": () => copies(state.s + 1),
        "=": () => copies(state.s + 1),
        "-": () => copies(state.s - 1),
        "u": undo,
        "r": reset,
    };

    function aim(target) {
        change({target}, `The next attack is on ${rules.RULES[target]}.`);
    }

    board.addEventListener("keydown", event => {
        if (event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        const step = ARROWS[event.key], size = event.shiftKey ? 0.05 : 0.25;
        if (step) {
            const place = vectors()[chosen];
            move(chosen, [place[0] + size * step[0], place[1] + size * step[1]]);
        } else if (/^[1-8]$/.test(event.key)) {
            toggle(event.key - 1);
        } else if (KEYS[event.key]) {
            KEYS[event.key]();
        } else {
            return;
        }
        event.preventDefault();
        element("grips").children[chosen].focus({preventScroll: true});
    });
    document.addEventListener("keydown", event => {
        if ((event.ctrlKey || event.metaKey) && event.key === "z" && event.target.id !== "address") {
            event.preventDefault();
            undo();
        }
    });

    // Controls

    function option(value, text) {
        const made = document.createElement("option");
        [made.value, made.textContent] = [value, text];
        return made;
    }

    element("marks").append(
        ...Object.entries(MARKS).map(([id, d]) => make("path", {id, d})));
    element("scene").append(...scenes.map(({title}, k) => option(k, `${k + 1}. ${title}`)));
    element("target").append(...rules.RULES.map((name, k) => option(k, name)));
    rules.RULES.forEach((name, k) => {
        const row = document.createElement("tr"), head = document.createElement("th");
        const label = document.createElement("label"), box = document.createElement("input");
        const icon = make("svg", {viewBox: "-12 -12 24 24", "aria-hidden": "true"});
        head.scope = "row";
        box.type = "checkbox";
        box.addEventListener("change", () => toggle(k));
        icon.append(make("use", {href: `#mark-${k}`, class: "sent"}));
        label.append(box, icon, name);
        head.append(label);
        row.append(head);
        for (let after = 0; after < 2; after++) {
            const cell = document.createElement("td");
            for (const look of ["bar", "value"]) {
                const part = document.createElement("span");
                part.className = look;
                cell.append(part);
            }
            row.append(cell);
        }
        element("rules").append(row);
    });
    element("scene").addEventListener("change", event => {
        const scene = fromScene(Number(event.target.value));
        chosen = scene.good.length + scene.bad.length - 1;
        change(scene, "", scenes[scene.scene].story);
    });
    element("target").addEventListener("change", event => aim(Number(event.target.value)));
    element("s").addEventListener("input", event => copies(Number(event.target.value)));
    for (const [id, act] of Object.entries({
        fewer: () => remove(everyone().length - 1),
        more: () => addOne(true),
        attack,
        draw: KEYS.n,
        undo,
        reset,
        add: () => addOne(false),
        remove: () => remove(chosen),
        link: copyLink,
    })) {
        element(id).addEventListener("click", act);
    }
    new ResizeObserver(() => {
        drawGrid();
        draw();
    }).observe(plane);
    window.addEventListener("beforeprint", draw);
    window.addEventListener("hashchange", () => {
        if (location.hash !== `#${present}`) {
            start();
        }
    });

    function start() {
        const found = location.hash ? read(location.hash) : null;
        const scene = found || fromScene(0);
        chosen = scene.good.length + scene.bad.length - 1;
        change(scene, location.hash && !found
            ? "The address holds no position that can be read; this is the first scene." : "");
    }

    start();
})();
