//! The plain data that goes into a flip and comes out of it.

/// Which way the picture is mirrored, as a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Top and bottom change places.
    #[default]
    Vertical,
    /// Left and right change places.
    Horizontal,
    /// Both: a turn by 180 degrees.
    Both,
}

/// Whether the flip may decode to pixels and encode again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lossless {
    /// Without loss where the file allows it, through pixels otherwise.
    #[default]
    Auto,
    /// Without loss or not at all.
    Require,
    /// Always through pixels.
    Never,
}

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which way to mirror.
    pub direction: Direction,
    /// How much loss is allowed.
    pub lossless: Lossless,
    /// JPEG quality of a re-encoded picture, 1 to 100; `None` keeps the source's own quantisation tables.
    pub quality: Option<u8>,
    /// Refuse pictures of more pixels (width x height, all frames of an animation), judged by the header.
    pub max_pixels: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            direction: Direction::default(),
            lossless: Lossless::default(),
            quality: None,
            // The limit sharp uses: 0x3FFF x 0x3FFF.
            max_pixels: 268_402_689,
        }
    }
}

/// The formats this package reads and writes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG, ITU-T T.81.
    Jpeg,
    /// PNG, W3C PNG specification.
    Png,
    /// WebP, RFC 9649.
    WebP,
    /// GIF89a.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF 6.0.
    Tiff,
}

impl Format {
    /// The lower-case name JavaScript sees.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }
}

/// How much of a picture came through a flip exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exact {
    /// Every sample: the flip was lossless.
    All,
    /// Of a JPEG, those components whose blocks line up, luma as a rule; the others were coded anew.
    Part,
    /// Nothing: decoded and encoded again.
    Nothing,
}

impl Exact {
    /// Whether no sample value was lost.
    pub fn is_lossless(self) -> bool {
        self == Self::All
    }

    /// The word JavaScript sees.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Part => "part",
            Self::Nothing => "none",
        }
    }
}

/// A flipped image and what the caller may want to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flipped {
    /// The encoded image.
    pub bytes: Vec<u8>,
    /// Its format, the input's.
    pub format: Format,
    /// Stored width in pixels.
    pub width: u32,
    /// Stored height in pixels.
    pub height: u32,
    /// How much of it is exactly the source's, mirrored.
    pub exact: Exact,
}
