"""The version of the package, in a file that setup can read without importing anything."""
VERSION = "0.1.0"
