"""Rules, steps, resamplers and attacks of other packages, held to the checks of conformance."""
