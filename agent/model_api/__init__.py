"""Classifiers that clients of the model API ask for: their requests, jobs, names, data sets and answers."""
