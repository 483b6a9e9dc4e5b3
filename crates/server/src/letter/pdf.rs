//! The PDF around the page: its title, its language, its day, and the order in which it is read aloud.

use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::{Document, SerializeSettings};
use zeroize::Zeroizing;

use super::face::Faces;
use super::page::{self, HEIGHT, WIDTH};
use super::sheet::Sheet;
use super::texts::{self, Texts};
use super::{Letter, LetterError, Part};

/// Writes the letter. That it keeps PDF/UA-1 is checked while it is written.
pub(super) fn write(letter: &Letter<'_>) -> Result<Zeroizing<Vec<u8>>, LetterError> {
    let faces = Faces::load()?;
    let texts = texts::of(letter);
    let configuration = ConfigurationBuilder::new()
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| LetterError::Pdf(format!("{error:?}")))?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    });
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(LetterError::NoRoom(Part::Page))?;
    let tree = {
        let mut page = document.start_page_with(size);
        page::set(letter, &texts, Sheet::new(page.surface(), &faces))?
    };
    document.set_tag_tree(tree);
    document.set_metadata(about(letter, &texts));
    let mut outline = Outline::new();
    let top = XyzDestination::new(0, Point::from_xy(0.0, 0.0));
    outline.push_child(OutlineNode::new(texts.title.to_owned(), top));
    document.set_outline(outline);
    // The library's error names no text of the letter in these words.
    let pdf = document
        .finish()
        .map_err(|error| LetterError::Pdf(error.to_string()))?;
    Ok(Zeroizing::new(pdf))
}

/// Title, language and the day on the letter; no author, no program, no time of the clock.
fn about(letter: &Letter<'_>, texts: &Texts) -> Metadata {
    let day = letter.issued_on;
    let date = DateTime::new(day.year().unsigned_abs())
        .month(day.month().unsigned_abs())
        .day(day.day().unsigned_abs())
        .utc_offset_hour(9);
    Metadata::new()
        .title(texts.title.to_owned())
        .language("ja".to_owned())
        .creation_date(date)
}
