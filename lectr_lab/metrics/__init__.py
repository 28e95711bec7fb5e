"""What the log counts, for systems that watch: Prometheus and OTLP, beside the proxies."""
