//! Every error the crate returns, each with the stable `code` JavaScript sees.

use std::io;
use std::path::{Path, PathBuf};

/// What a function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// An error with a stable code; `js/errors.js` lists the same codes with their JavaScript classes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes claim a format but break its rules, or end too early.
    #[error("image is corrupt: {0}")]
    ImageCorrupt(String),
    /// The bytes are no image, or of a kind this package cannot read or write back.
    #[error("image is not supported: {0}")]
    ImageUnsupported(String),
    /// The header announces more pixels or bytes than the limit allows.
    #[error("image is too large: {0}")]
    ImageTooLarge(String),
    /// `lossless: 'require'` was asked for and this image cannot be flipped without loss.
    #[error("image cannot be flipped without loss: {0}")]
    NotLossless(String),
    /// The bytes are no gzip, break the rules of deflate, or do not match their checksum.
    #[error("gzip data is corrupt: {0}")]
    GzipCorrupt(String),
    /// The gzip data ends before its last member does.
    #[error("gzip data is truncated: unexpected end of file")]
    GzipTruncated,
    /// The output would be larger than the caller allows; the wording is that of Node's zlib.
    #[error("Cannot create a Buffer larger than {limit} bytes")]
    BufferTooLarge {
        /// The limit in force, in bytes.
        limit: u64,
    },
    /// The caller aborted the job.
    #[error("the operation was aborted")]
    Aborted,
    /// More jobs are waiting than `maxQueue` allows.
    #[error("the kernel queue is full: {limit} jobs are waiting")]
    QueueFull {
        /// The limit in force.
        limit: usize,
    },
    /// The store has no room left and may not evict, or one entry is larger than the store.
    #[error("the store is full: {0}")]
    StoreFull(String),
    /// The store's file breaks the rules of its format.
    #[error("the store is corrupt and was left as it is: {0}")]
    StoreCorrupt(String),
    /// What lies at the store's path is not a store of this package.
    #[error("not a store of rustcluster, left as it is: {0}")]
    StoreForeign(String),
    /// The entry does not hold what the operation works on.
    #[error("the entry is not a number: {0}")]
    StoreNotNumber(String),
    /// The store was closed.
    #[error("the store is closed")]
    StoreClosed,
    /// The store cannot be opened here: no folder it could live in, or no memory that processes can share.
    #[error("the store cannot be opened: {0}")]
    StoreUnavailable(String),
    /// An argument has a value outside what the function takes.
    #[error("{0}")]
    InvalidArgument(String),
    /// A system call failed; JavaScript sees the shape of Node's own system errors.
    #[error("{syscall} '{}': {source}", path.display())]
    Io {
        /// The call that failed, as Node names it (`open`, `read`, `rename`, ...).
        syscall: &'static str,
        /// The file it was about.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A kernel panicked. That is a bug in this package; the process is unharmed.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

impl Error {
    /// The stable code, or `None` for [`Error::Io`], whose code is the errno's name and is known to JavaScript.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::ImageCorrupt(_) => "ERR_IMAGE_CORRUPT",
            Self::ImageUnsupported(_) => "ERR_IMAGE_UNSUPPORTED",
            Self::ImageTooLarge(_) => "ERR_IMAGE_TOO_LARGE",
            Self::NotLossless(_) => "ERR_NOT_LOSSLESS",
            Self::GzipCorrupt(_) => "ERR_GZIP_CORRUPT",
            Self::GzipTruncated => "ERR_GZIP_TRUNCATED",
            Self::BufferTooLarge { .. } => "ERR_BUFFER_TOO_LARGE",
            Self::Aborted => "ABORT_ERR",
            Self::QueueFull { .. } => "ERR_QUEUE_FULL",
            Self::StoreFull(_) => "ERR_STORE_FULL",
            Self::StoreCorrupt(_) => "ERR_STORE_CORRUPT",
            Self::StoreForeign(_) => "ERR_STORE_FOREIGN",
            Self::StoreNotNumber(_) => "ERR_STORE_NOT_NUMBER",
            Self::StoreClosed => "ERR_STORE_CLOSED",
            Self::StoreUnavailable(_) => "ERR_STORE_UNAVAILABLE",
            Self::InvalidArgument(_) => "ERR_INVALID_ARG_VALUE",
            Self::Internal(_) => "ERR_INTERNAL",
            Self::Io { .. } => return None,
        })
    }

    /// Wraps a failed call on `path`.
    pub fn io(syscall: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { syscall, path: path.to_owned(), source }
    }
}
