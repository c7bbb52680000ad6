"""The model API: classifiers by name, with training requests, jobs, data sets and endpoints."""
