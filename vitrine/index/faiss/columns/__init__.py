"""One field of many products: values in flat arrays, built from products or mapped from a file."""
