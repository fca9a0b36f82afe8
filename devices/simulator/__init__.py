"""Simulated devices: real MQTT clients that replay recorded tracks."""
