//! The crate as Node sees it: each export converts its arguments and makes one call.
