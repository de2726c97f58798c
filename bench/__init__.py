"""What Trichter costs and how fast it is, measured on this machine: see docs/benchmarks.md."""
