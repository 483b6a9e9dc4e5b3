//! A QR code (ISO/IEC 18004) as the path of an SVG.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};

/// Modules of white that a reader wants around the code.
const QUIET: usize = 4;

/// A code to draw: dark modules as squares of 1 on a side.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    /// How wide and high it is, with its quiet zone.
    pub(crate) size: usize,
    /// The `d` of an SVG path.
    pub(crate) path: String,
}

/// Draws a text; nothing when it is too long for any code.
pub(crate) fn draw(text: &str) -> Option<Drawing> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut path = String::new();
    for (y, row) in code.data.chunks(code.size).take(code.size).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, other| one.value() == other.value()) {
            let wide = run.len();
            if run.first().is_some_and(|module| module.value()) {
                let _ = write!(path, "M{} {}h{wide}v1h-{wide}z", x + QUIET, y + QUIET);
            }
            x += wide;
        }
    }
    Some(Drawing {
        size: code.size + 2 * QUIET,
        path,
    })
}
