//! The letter on its page, from top to bottom.

use std::num::NonZeroU16;

use krilla::geom::Rect;
use krilla::tagging::{
    Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
};

use super::sheet::{Ink, Sheet, Style};
use super::texts::{self, Texts};
use super::{Letter, LetterError, Part, wrap};

/// A4, points.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;

/// Left and right edge of the text, points.
const LEFT: f32 = 60.0;
const RIGHT: f32 = WIDTH - LEFT;

/// Where the bank's phone begins at the foot; the rest ends above.
const FOOT: f32 = 794.0;

/// How wide the labels' column of the box is.
const LABELS: f32 = 168.0;

/// Space between a frame and what is in it.
const PADDING: f32 = 12.0;

fn ink(red: u8, green: u8, blue: u8) -> Ink {
    Ink::new(red, green, blue)
}

fn body() -> Style {
    Style {
        size: 9.5,
        ink: ink(0x1c, 0x21, 0x28),
        bold: false,
        mono: false,
        language: "ja",
    }
}

fn house_blue() -> Ink {
    ink(0x17, 0x32, 0x5c)
}

fn grey() -> Ink {
    ink(0x52, 0x5a, 0x66)
}

/// Sets the letter on a page of [`WIDTH`] and [`HEIGHT`]; what is what on it.
pub(super) fn set(
    letter: &Letter<'_>,
    texts: &Texts,
    sheet: Sheet<'_>,
) -> Result<TagTree, LetterError> {
    let mut setter = Setter {
        sheet,
        tree: TagTree::new().with_lang(Some("ja".to_owned())),
        y: 0.0,
    };
    setter.head(letter)?;
    setter.opening(texts)?;
    setter.secrets(letter, texts)?;
    setter.steps(texts)?;
    setter.warnings(texts)?;
    setter.english(texts)?;
    // What was set last left one line's height below it.
    if setter.y > FOOT {
        return Err(LetterError::NoRoom(Part::Page));
    }
    setter.foot(letter)?;
    Ok(setter.tree)
}

/// Sets the letter's parts one below the other, and notes what each is.
struct Setter<'s> {
    sheet: Sheet<'s>,
    tree: TagTree,
    /// How far down the page is filled.
    y: f32,
}

impl Setter<'_> {
    /// The day, the customer and the bank.
    fn head(&mut self, letter: &Letter<'_>) -> Result<(), LetterError> {
        let day = texts::in_japanese(letter.issued_on);
        self.y = 52.0;
        self.right_aligned(&day, body())?;

        self.y = 80.0;
        let to = format!("{}　様", letter.customer_name);
        let style = body().sized(15.0);
        let style = self
            .sheet
            .fitted(&to, style, RIGHT - LEFT, Part::CustomerName)?;
        let line = self.sheet.text(LEFT, self.y, &to, style)?;
        self.note(Tag::P, [line]);
        let end = (LEFT + self.sheet.width(&to, style)? + 10.0).clamp(LEFT + 210.0, RIGHT);
        self.sheet.rule(LEFT, end, self.y + 7.0, 0.6, grey());

        self.y += 32.0;
        let bank = &letter.bank;
        self.right_aligned(bank.name, body().sized(11.5).bold())?;
        let phone = format!("電話 {}（{}）", bank.phone, bank.hours);
        for line in bank.address.iter().copied().chain([phone.as_str()]) {
            self.y += 14.0;
            self.right_aligned(line, body().sized(8.5).inked(grey()))?;
        }
        Ok(())
    }

    /// The title and what comes before the box.
    fn opening(&mut self, texts: &Texts) -> Result<(), LetterError> {
        self.y += 40.0;
        let style = body().sized(16.0).inked(house_blue()).bold();
        let width = self.sheet.width(texts.title, style)?;
        let title = self
            .sheet
            .text((WIDTH - width) / 2.0, self.y, texts.title, style)?;
        self.note(
            Tag::Hn(NonZeroU16::MIN, Some(texts.title.to_owned())),
            [title],
        );
        self.sheet
            .rule(LEFT, RIGHT, self.y + 13.0, 1.2, house_blue());
        self.y += 36.0;
        for text in texts.opening {
            let lines = self.lines(LEFT, text, RIGHT, body(), 16.5)?;
            self.note(Tag::P, lines);
        }
        Ok(())
    }

    /// The box with the contract ID, the password and until when it holds.
    fn secrets(&mut self, letter: &Letter<'_>, texts: &Texts) -> Result<(), LetterError> {
        let id = letter.contract_id.grouped();
        let mono = Style {
            mono: true,
            ..body().sized(22.0)
        };
        let rows = [
            (id.as_str(), mono, 42.0),
            (letter.password.as_str(), mono, 48.0),
            (texts.until.as_str(), body().sized(12.0), 32.0),
        ];
        let top = self.y + 2.0;
        let height: f32 = rows.iter().map(|(_, _, height)| height).sum();
        let labels = Rect::from_xywh(LEFT, top, LABELS, height);
        self.sheet.area(labels, Some(ink(0xef, 0xf3, 0xf8)), None);

        let mut table = TagGroup::new(Tag::Table);
        let mut above = top;
        for ((value, style, height), (label, label_en)) in rows.into_iter().zip(texts.labels) {
            if above > top {
                self.sheet
                    .rule(LEFT, RIGHT, above, 0.6, ink(0xb4, 0xc0, 0xd0));
            }
            let middle = above + height / 2.0;
            let x = LEFT + PADDING;
            let small = body().sized(7.5).inked(grey()).english();
            let first = self.sheet.text(x, middle - 1.0, label, body().bold())?;
            let second = self.sheet.text(x, middle + 10.0, label_en, small)?;
            let x = LEFT + LABELS + PADDING + 4.0;
            let style = self
                .sheet
                .fitted(value, style, RIGHT - PADDING - x, Part::Password)?;
            let shown = self
                .sheet
                .text(x, middle + style.size * 0.36, value, style)?;
            let heading = group(Tag::TH(TableHeaderScope::Row), [first, second]);
            let mut row = group(Tag::TR, [heading]);
            row.push(group(Tag::TD, [shown]));
            table.push(row);
            above += height;
        }
        let frame = Rect::from_xywh(LEFT, top, RIGHT - LEFT, height);
        self.sheet.area(frame, None, Some((house_blue(), 1.2)));
        self.tree.push(table);
        self.y = top + height + 15.0;
        let small = body().sized(8.0).inked(grey());
        let hint = self.lines(LEFT, texts.hint, RIGHT, small, 12.5)?;
        self.note(Tag::P, hint);
        Ok(())
    }

    /// What to do, numbered.
    fn steps(&mut self, texts: &Texts) -> Result<(), LetterError> {
        self.heading(texts::STEPS, body())?;
        let mut list = TagGroup::new(Tag::L(ListNumbering::Decimal));
        for (number, text) in ["1", "2", "3", "4"].into_iter().zip(texts.steps) {
            let style = body().sized(8.5).inked(ink(0xff, 0xff, 0xff)).bold();
            let (x, y) = (LEFT + 7.0, self.y - 3.4);
            self.sheet.disc(x, y, 6.6, house_blue());
            let half = self.sheet.width(number, style)? / 2.0;
            let label = self.sheet.text(x - half, y + 3.1, number, style)?;
            let lines = self.lines(LEFT + 22.0, text, RIGHT, body(), 14.5)?;
            self.y += 2.5;
            let mut item = group(Tag::LI, [group(Tag::Lbl, [label])]);
            item.push(group(Tag::LBody, lines));
            list.push(item);
        }
        self.tree.push(list);
        Ok(())
    }

    /// What to beware of.
    fn warnings(&mut self, texts: &Texts) -> Result<(), LetterError> {
        self.heading(texts::WARNINGS, body())?;
        let mut list = TagGroup::new(Tag::L(ListNumbering::Disc));
        for text in &texts.warnings {
            let label = self.sheet.text(LEFT + 2.0, self.y, "・", body())?;
            let lines = self.lines(LEFT + 14.0, text, RIGHT, body(), 14.5)?;
            let mut item = group(Tag::LI, [group(Tag::Lbl, [label])]);
            item.push(group(Tag::LBody, lines));
            list.push(item);
        }
        self.tree.push(list);
        Ok(())
    }

    /// The summary in English.
    fn english(&mut self, texts: &Texts) -> Result<(), LetterError> {
        self.heading(texts::ENGLISH, body().english())?;
        let style = body().sized(8.5).english();
        let lines = self.lines(LEFT, &texts.english, RIGHT, style, 12.5)?;
        self.note(Tag::P, lines);
        Ok(())
    }

    /// Whom to call.
    fn foot(&mut self, letter: &Letter<'_>) -> Result<(), LetterError> {
        self.sheet.rule(LEFT, RIGHT, FOOT, 0.6, grey());
        let bank = &letter.bank;
        let style = body().sized(9.0).bold();
        let y = FOOT + 17.0;
        let label = self.sheet.text(LEFT, y, texts::CONTACT, style)?;
        let x = LEFT + self.sheet.width(texts::CONTACT, style)? + 14.0;
        let who = format!(
            "{}　電話 {}　受付時間 {}",
            bank.name, bank.phone, bank.hours
        );
        let style = self.sheet.fitted(&who, body(), RIGHT - x, Part::Bank)?;
        let who = self.sheet.text(x, y, &who, style)?;
        self.note(Tag::P, [label, who]);
        Ok(())
    }

    /// A heading of the second level, with a mark before it.
    fn heading(&mut self, text: &str, style: Style) -> Result<(), LetterError> {
        self.y += 12.0;
        let mark = Rect::from_xywh(LEFT, self.y - 9.5, 3.0, 11.5);
        self.sheet.area(mark, Some(house_blue()), None);
        let style = style.sized(11.0).inked(house_blue()).bold();
        let line = self.sheet.text(LEFT + 9.0, self.y, text, style)?;
        let level = NonZeroU16::MIN.saturating_add(1);
        self.note(Tag::Hn(level, Some(text.to_owned())), [line]);
        self.y += 18.0;
        Ok(())
    }

    /// A line of the bank that ends at the right edge.
    fn right_aligned(&mut self, text: &str, style: Style) -> Result<(), LetterError> {
        if text.is_empty() {
            return Ok(());
        }
        let style = self.sheet.fitted(text, style, RIGHT - LEFT, Part::Bank)?;
        let width = self.sheet.width(text, style)?;
        let line = self.sheet.text(RIGHT - width, self.y, text, style)?;
        self.note(Tag::P, [line]);
        Ok(())
    }

    /// A paragraph between `left` and `right`; `self.y` is the base line of its first line, and then of what follows.
    fn lines(
        &mut self,
        left: f32,
        text: &str,
        right: f32,
        style: Style,
        leading: f32,
    ) -> Result<Vec<Identifier>, LetterError> {
        let face = self.sheet.face(style);
        let room = (right - left) / style.size;
        let mut set = Vec::new();
        for line in wrap::lines(text, room, |letter| face.advance(letter))? {
            set.push(self.sheet.text(left, self.y, line, style)?);
            self.y += leading;
        }
        Ok(set)
    }

    /// Notes what lines are.
    fn note(&mut self, tag: impl Into<TagKind>, lines: impl IntoIterator<Item = Identifier>) {
        self.tree.push(group(tag, lines));
    }
}

fn group<N: Into<Node>>(
    tag: impl Into<TagKind>,
    children: impl IntoIterator<Item = N>,
) -> TagGroup {
    let mut group = TagGroup::new(tag);
    children.into_iter().for_each(|child| group.push(child));
    group
}
