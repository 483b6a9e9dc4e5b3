//! What can be put on the page: lines of text, each tagged with what it is, and rules, boxes and discs, which are not.

use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag};

use super::face::{Face, Faces};
use super::{LetterError, Part};

/// A colour of ink.
pub(super) type Ink = rgb::Color;

/// Smaller than this, points, nothing is printed.
const SMALLEST: f32 = 7.0;

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Height of the letters, points.
    pub(super) size: f32,
    /// Their colour.
    pub(super) ink: Ink,
    /// Heavier, for headings.
    pub(super) bold: bool,
    /// In letters of one width.
    pub(super) mono: bool,
    /// Its language.
    pub(super) language: &'static str,
}

impl Style {
    /// The same, in another size.
    pub(super) fn sized(self, size: f32) -> Self {
        Self { size, ..self }
    }

    /// The same, heavier.
    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same in another colour.
    pub(super) fn inked(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// The same, in English.
    pub(super) fn english(self) -> Self {
        Self {
            language: "en",
            ..self
        }
    }
}

/// One page, points from its upper left corner.
pub(super) struct Sheet<'s> {
    surface: Surface<'s>,
    faces: &'s Faces,
}

impl<'s> Sheet<'s> {
    /// An empty page.
    pub(super) fn new(surface: Surface<'s>, faces: &'s Faces) -> Self {
        Self { surface, faces }
    }

    /// The font of a style.
    pub(super) fn face(&self, style: Style) -> &'s Face {
        if style.mono {
            &self.faces.mono
        } else {
            &self.faces.text
        }
    }

    /// How wide a text is, points.
    pub(super) fn width(&self, text: &str, style: Style) -> Result<f32, LetterError> {
        Ok(self.face(style).width(text)? * style.size)
    }

    /// The style, as much smaller as the text needs to fit into `room` points.
    pub(super) fn fitted(
        &self,
        text: &str,
        style: Style,
        room: f32,
        part: Part,
    ) -> Result<Style, LetterError> {
        let width = self.width(text, style)?;
        let size = style.size * (room / width).min(1.0);
        if size < SMALLEST {
            return Err(LetterError::NoRoom(part));
        }
        Ok(style.sized(size))
    }

    /// A line of text from `x`, on the base line `y`.
    pub(super) fn text(
        &mut self,
        x: f32,
        y: f32,
        text: &str,
        style: Style,
    ) -> Result<Identifier, LetterError> {
        let face = self.face(style);
        let glyphs = face.glyphs(text)?;
        self.surface.set_fill(Some(fill(style.ink)));
        // There is no second font for headings: a thin line around each letter makes it heavier.
        let outline = style.bold.then(|| stroke(style.ink, style.size * 0.03));
        self.surface.set_stroke(outline);
        let span = SpanTag::empty().with_lang(Some(style.language));
        let tagged = self.surface.start_tagged(ContentTag::Span(span));
        self.surface.draw_glyphs(
            Point::from_xy(x, y),
            &glyphs,
            face.font(),
            text,
            style.size,
            false,
        );
        self.surface.end_tagged();
        Ok(tagged)
    }

    /// A horizontal line.
    pub(super) fn rule(&mut self, from: f32, to: f32, y: f32, thickness: f32, ink: Ink) {
        let mut path = PathBuilder::new();
        path.move_to(from, y);
        path.line_to(to, y);
        self.draw(path.finish(), None, Some(stroke(ink, thickness)));
    }

    /// A box, filled or framed.
    pub(super) fn area(
        &mut self,
        area: Option<Rect>,
        inside: Option<Ink>,
        frame: Option<(Ink, f32)>,
    ) {
        let Some(area) = area else { return };
        let mut path = PathBuilder::new();
        path.push_rect(area);
        let frame = frame.map(|(ink, thickness)| stroke(ink, thickness));
        self.draw(path.finish(), inside.map(fill), frame);
    }

    /// A filled disc around a point.
    pub(super) fn disc(&mut self, x: f32, y: f32, radius: f32, ink: Ink) {
        // How far the controls of a cubic curve stand from the ends of a quarter of a circle.
        let arm = radius * 0.552_285;
        let mut path = PathBuilder::new();
        path.move_to(x, y - radius);
        path.cubic_to(x + arm, y - radius, x + radius, y - arm, x + radius, y);
        path.cubic_to(x + radius, y + arm, x + arm, y + radius, x, y + radius);
        path.cubic_to(x - arm, y + radius, x - radius, y + arm, x - radius, y);
        path.cubic_to(x - radius, y - arm, x - arm, y - radius, x, y - radius);
        path.close();
        self.draw(path.finish(), Some(fill(ink)), None);
    }

    fn draw(&mut self, path: Option<Path>, inside: Option<Fill>, line: Option<Stroke>) {
        let Some(path) = path else { return };
        let ornament = Artifact::with_kind(ArtifactType::Layout);
        self.surface.set_fill(inside);
        self.surface.set_stroke(line);
        self.surface.start_tagged(ContentTag::Artifact(ornament));
        self.surface.draw_path(&path);
        self.surface.end_tagged();
    }
}

fn fill(ink: Ink) -> Fill {
    Fill {
        paint: ink.into(),
        ..Fill::default()
    }
}

fn stroke(ink: Ink, width: f32) -> Stroke {
    Stroke {
        paint: ink.into(),
        width,
        ..Stroke::default()
    }
}
