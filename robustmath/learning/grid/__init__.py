"""Many trainings: their settings, running them on several processes, and their results."""
