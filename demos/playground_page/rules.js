"use strict";

/*
The rules of section 2 and the averages of Algorithm 2, for vectors [x, y]: equation by equation
what robustmath computes, and tests hold the two to each other.

Vectors lie on a grid (GRID) on which every average of up to six of them and every square of a
distance is an exact float. So equal scores are equal, and ties go to the lowest index here as there.

Symbols: n vectors, f of them bad; s copies of each in Algorithm 2, which also go into one average.
*/
const rules = (function () {
    const GRID = 15 / 1024;

    // What all rules need: sums, lengths, differences

    function sum(numbers) {
        return numbers.reduce((a, b) => a + b, 0);
    }

    function norm(v) {
        return Math.sqrt(v[0] * v[0] + v[1] * v[1]);
    }

    function minus(v, w) {
        return [v[0] - w[0], v[1] - w[1]];
    }

    function byCoordinate(vectors, f) {
        return [0, 1].map(k => f(vectors.map(v => v[k])));
    }

    function sorted(numbers) {
        return numbers.slice().sort((a, b) => a - b);
    }

    function average(numbers) {
        return sum(numbers) / numbers.length;
    }

    function weighted(vectors, weights) {
        return byCoordinate(vectors, x => sum(x.map((value, i) => weights[i] * value)));
    }

    function middle(ranked) {
        const n = ranked.length;
        return (ranked[(n - 1) >> 1] + ranked[n >> 1]) / 2;
    }

    // The rules, each told how many vectors may be bad

    function mean(vectors) {
        return byCoordinate(vectors, average);
    }

    // (3): the vector with the smallest sum of squares to its n - f - 2 closest others
    function krum(vectors, f) {
        const n = vectors.length;
        if (n < f + 3) {
            throw new RangeError(`krum needs n >= f + 3; got n=${n}, f=${f}`);
        }
        const scores = vectors.map((g, i) => {
            const squares = vectors.filter((_, j) => j !== i).map(minus.bind(null, g))
                .map(d => d[0] * d[0] + d[1] * d[1]);
            return sum(sorted(squares).slice(0, n - f - 2));
        });
        return vectors[scores.indexOf(Math.min(...scores))];
    }

    function coordinatewiseMedian(vectors) {
        return byCoordinate(vectors, x => middle(sorted(x)));
    }

    function trimmedMean(vectors, f) {
        const n = vectors.length;
        if (2 * f >= n) {
            throw new RangeError(`trimmed_mean needs n >= 2 f + 1; got n=${n}, f=${f}`);
        }
        return byCoordinate(vectors, x => average(sorted(x).slice(f, n - f)));
    }

    // (4), divided by n; zero has no direction and adds nothing
    function normalizedMean(vectors) {
        return mean(vectors.map(g => {
            const length = norm(g) || 1;
            return [g[0] / length, g[1] / length];
        }));
    }

    // Eight of Weiszfeld's steps towards (7), from zero
    function rfa(vectors) {
        let v = [0, 0];
        for (let t = 0; t < 8; t++) {
            const beta = vectors.map(g => 1 / Math.max(1e-6, norm(minus(g, v))));
            const total = sum(beta);
            v = weighted(vectors, beta.map(b => b / total));
        }
        return v;
    }

    // v + mean of g_i - v, each shortened to length 1 at most; three times from zero
    function centeredClipping(vectors) {
        let v = [0, 0];
        for (let t = 0; t < 3; t++) {
            const move = mean(vectors.map(g => {
                const offset = minus(g, v);
                const factor = Math.min(1, 1 / norm(offset));
                return norm(offset) > 0 ? [offset[0] * factor, offset[1] * factor] : offset;
            }));
            v = [v[0] + move[0], v[1] + move[1]];
        }
        return v;
    }

    // (7): the point with the smallest sum of distances to all vectors
    function geometricMedian(vectors) {
        const alongLine = middleOfALine(vectors);
        if (alongLine) {
            return alongLine;
        }
        const sums = vectors.map(g => sum(vectors.map(h => norm(minus(g, h)))));
        const best = vectors[sums.indexOf(Math.min(...sums))];
        const others = vectors.filter(g => norm(minus(g, best)) > 0);
        const here = vectors.length - others.length;
        const at = slopes(others, best);
        const pull = norm(at.gradient);
        if (pull <= here * (1 + 1e-12)) {
            return best;
        }
        // Vardi and Zhang's step: from here on the sum is below that of every vector.
        const stay = (1 - here / pull) / at.curvature;
        let v = [best[0] - stay * at.gradient[0], best[1] - stay * at.gradient[1]];
        for (let t = 0; t < 100; t++) {
            const next = newtonStep(vectors, v);
            if (!next) {
                break;
            }
            v = next;
        }
        return v;
    }

    // If all vectors lie on a line: the middle one, or half-way between the two middle ones
    function middleOfALine(vectors) {
        const offsets = vectors.map(g => minus(g, vectors[0]));
        const end = offsets.reduce((a, b) => (norm(b) > norm(a) ? b : a));
        if (offsets.some(o => o[0] * end[1] !== o[1] * end[0])) {
            return null;
        }
        const along = vectors.map((_, i) => i)
            .sort((i, j) => dot(offsets[i], end) - dot(offsets[j], end)).map(i => vectors[i]);
        return byCoordinate(along, middle);
    }

    function dot(v, w) {
        return v[0] * w[0] + v[1] * w[1];
    }

    // The gradient of the sum of distances, its Hessian [[a, b], [b, c]], and sum 1 / r_i
    function slopes(vectors, v) {
        const found = {gradient: [0, 0], a: 0, b: 0, c: 0, curvature: 0};
        for (const g of vectors) {
            const offset = minus(v, g), r = Math.max(norm(offset), 1e-300);
            const [x, y] = [offset[0] / r, offset[1] / r];
            found.gradient[0] += x;
            found.gradient[1] += y;
            found.a += y * y / r;
            found.b -= x * y / r;
            found.c += x * x / r;
            found.curvature += 1 / r;
        }
        return found;
    }

    // Newton's step, shortened until the slope along it is less steep; null if none helps
    function newtonStep(vectors, v) {
        const {gradient: g, a, b, c} = slopes(vectors, v);
        const determinant = a * c - b * b;
        const step = [(b * g[1] - c * g[0]) / determinant, (b * g[0] - a * g[1]) / determinant];
        const slope = dot(g, step);
        if (!(slope < 0)) {
            return null;
        }
        for (let t = 1; t > 1e-9; t /= 2) {
            const next = [v[0] + t * step[0], v[1] + t * step[1]];
            if (Math.abs(dot(slopes(vectors, next).gradient, step)) < 0.9 * -slope) {
                return next;
            }
        }
        return null;
    }

    const RULES = {
        "mean": mean,
        "KRUM": krum,
        "CM": coordinatewiseMedian,
        "GM": geometricMedian,
        "RFA, T = 8": rfa,
        "trimmed mean": trimmedMean,
        "NM / n": normalizedMean,
        "clipping at 1": centeredClipping,
    };

    // A rule's result, null if it refuses, and what there is to say about that
    function apply(name, vectors, f) {
        const n = vectors.length;
        try {
            const point = RULES[name](vectors, f);
            const warns = name === "KRUM" && n < 2 * f + 3;
            const note = `krum is proved robust for n >= 2 f + 3; got n=${n}, f=${f}`;
            return {point, note: warns ? note : ""};
        } catch (error) {
            if (!(error instanceof RangeError)) {
                throw error;
            }
            return {point: null, note: error.message};
        }
    }

    // Algorithm 2

    // The averages of the vectors in each row of slots
    function resample(vectors, slots) {
        return slots.map(row => byCoordinate(row.map(j => vectors[j]), average));
    }

    // s copies of each of n workers, shuffled and cut into groups of s
    function drawSlots(n, s, random) {
        const places = Array.from({length: n * s}, (_, k) => Math.floor(k / s));
        for (let k = places.length - 1; k > 0; k--) {
            const other = Math.floor(random() * (k + 1));
            [places[k], places[other]] = [places[other], places[k]];
        }
        return Array.from({length: n}, (_, t) => places.slice(t * s, (t + 1) * s));
    }

    // Uniform numbers in [0, 1) from a whole number as seed (mulberry32)
    function generator(seed) {
        let state = seed >>> 0;
        return function () {
            state = (state + 0x6D2B79F5) >>> 0;
            let mixed = Math.imul(state ^ (state >>> 15), state | 1);
            mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
            return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
        };
    }

    return {GRID, RULES: Object.keys(RULES), apply, mean, norm, minus, resample, drawSlots, generator};
})();
