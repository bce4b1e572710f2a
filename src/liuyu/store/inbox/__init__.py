"""What sources delivered and the loop has not yet taken: one interface, in files or on NATS JetStream behind it."""
