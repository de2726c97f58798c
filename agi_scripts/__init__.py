"""Look-ups and decisions for dialplans that prefer AGI: the FastAGI server and the spawned scripts
run the same functions."""
