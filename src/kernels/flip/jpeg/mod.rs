//! JPEG: on the bitstream where that is possible, through pixels where not.

pub mod lossless;
