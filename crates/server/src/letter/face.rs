//! The fonts of the letter: which glyph a character has and how wide it is.
//!
//! One character is one glyph, set beside the one before: all that Japanese and English need in a letter.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider as _};

use super::LetterError;

/// Noto Sans CJK JP, cut down to the characters of names and letters (see the folder's README).
const TEXT: &[u8] = include_bytes!("../../assets/fonts/NotoSansCJKjp-letter.otf");

/// Noto Sans Mono CJK JP, ASCII: every letter as wide as the next, and none like another.
const MONO: &[u8] = include_bytes!("../../assets/fonts/NotoSansMonoCJKjp-letter.otf");

/// A font and what is measured in it.
pub(super) struct Face {
    font: Font,
    charmap: Charmap<'static>,
    metrics: GlyphMetrics<'static>,
}

/// The two that a letter is set in.
pub(super) struct Faces {
    /// For all texts.
    pub(super) text: Face,
    /// For the contract ID and the password.
    pub(super) mono: Face,
}

impl Faces {
    /// The fonts in the program.
    pub(super) fn load() -> Result<Self, LetterError> {
        Ok(Self {
            text: Face::read(TEXT)?,
            mono: Face::read(MONO)?,
        })
    }
}

impl Face {
    fn read(bytes: &'static [u8]) -> Result<Self, LetterError> {
        let font = Font::new(bytes.into(), 0).ok_or(LetterError::Font)?;
        let measured = FontRef::new(bytes).map_err(|_| LetterError::Font)?;
        Ok(Self {
            font,
            charmap: measured.charmap(),
            metrics: measured.glyph_metrics(Size::unscaled(), LocationRef::default()),
        })
    }

    /// The font itself, for the PDF.
    pub(super) fn font(&self) -> Font {
        self.font.clone()
    }

    /// How wide a character is, in em.
    pub(super) fn advance(&self, letter: char) -> Result<f32, LetterError> {
        self.glyph(letter).map(|(_, advance)| advance)
    }

    /// How wide a text is, in em.
    pub(super) fn width(&self, text: &str) -> Result<f32, LetterError> {
        text.chars().map(|letter| self.advance(letter)).sum()
    }

    /// The glyphs of a text, each with the character that it stands for, so that the text can be read out of the PDF.
    pub(super) fn glyphs(&self, text: &str) -> Result<Vec<KrillaGlyph>, LetterError> {
        text.char_indices()
            .map(|(at, letter)| {
                let (id, advance) = self.glyph(letter)?;
                let range = at..at + letter.len_utf8();
                Ok(KrillaGlyph::new(
                    GlyphId::new(id),
                    advance,
                    0.0,
                    0.0,
                    0.0,
                    range,
                    None,
                ))
            })
            .collect()
    }

    fn glyph(&self, letter: char) -> Result<(u32, f32), LetterError> {
        let lacking = LetterError::Unprintable(letter);
        let id = self.charmap.map(letter).ok_or_else(|| lacking.clone())?;
        let advance = self.metrics.advance_width(id).ok_or(lacking)?;
        Ok((id.to_u32(), advance / self.font.units_per_em()))
    }
}
