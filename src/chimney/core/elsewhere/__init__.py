"""What Jaeger, Tempo, Prometheus and Alertmanager answer, as our rows. No I/O."""
