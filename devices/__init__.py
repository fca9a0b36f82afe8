"""What speaks to the service over the wire: nothing here imports the service, nor the other way round."""
