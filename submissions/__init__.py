"""Who answered: entries, their manifests, and the baselines that the project makes itself."""
