//! Mirrors an image: what people see is flipped, whatever the file says about orientation.
