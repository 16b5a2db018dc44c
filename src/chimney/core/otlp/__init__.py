"""What senders of OTLP say, as the rows that are kept: pure, and the same for protobuf and JSON."""
