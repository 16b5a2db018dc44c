"""Sources that are read where they are: Jaeger, Tempo, Prometheus, Alertmanager."""
