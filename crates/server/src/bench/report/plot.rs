//! Plots as SVG that stands in the page itself: no script, no file beside it. Colours come from the page's style sheet, so
//! that they fit a light screen and a dark one; each line has a dash of its own beside its colour.

use std::fmt::Write as _;

/// Size of every plot, in its own units: narrow enough to be read on a phone.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 224.0;

/// Where the axes are.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 392.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 190.0;

/// A line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) name: String,
    /// x and y; where y is none the line has a gap.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// How a value is laid on an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    log: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// From 0 to a round number above `largest`.
    fn linear(largest: f64) -> Self {
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let power = 10_f64.powf(largest.log10().floor());
        let to = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|round| *round >= largest * 0.999_999)
            .unwrap_or(10.0 * power);
        Self {
            log: false,
            from: 0.0,
            to,
        }
    }

    /// Whole powers of ten around what is above 0.
    fn log(smallest: f64, largest: f64) -> Self {
        let from = 10_f64.powf(smallest.max(1e-3).log10().floor());
        let to = 10_f64.powf(largest.max(smallest).max(1e-3).log10().ceil());
        Self {
            log: true,
            from,
            to: if to > from { to } else { 10.0 * from },
        }
    }

    /// Where a value stands between the ends, 0 to 1.
    fn place(self, value: f64) -> f64 {
        let place = if self.log {
            (value.max(self.from) / self.from).log10() / (self.to / self.from).log10()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        place.clamp(0.0, 1.0)
    }

    /// Values that get a line and a number.
    fn ticks(self) -> Vec<f64> {
        if self.log {
            let powers = (self.to / self.from).log10().round() as i32;
            return (0..=powers)
                .map(|power| self.from * 10_f64.powi(power))
                .collect();
        }
        (0..=4)
            .map(|tick| self.from + (self.to - self.from) * f64::from(tick) / 4.0)
            .collect()
    }

    /// From 0 to the end of a time, seconds.
    fn time(end: f64) -> Self {
        Self {
            log: false,
            from: 0.0,
            to: end,
        }
    }

    /// The same for a time: whole seconds, minutes or hours.
    fn moments(self) -> Vec<f64> {
        let steps = [
            1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 14_400.0,
            86_400.0,
        ];
        let step = steps.into_iter().find(|step| self.to / step <= 6.0);
        let step = step.unwrap_or(self.to);
        (0..=6)
            .map(|tick| step * f64::from(tick))
            .filter(|moment| *moment <= self.to)
            .collect()
    }
}

/// A number of few letters.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", trim(value / 1e6)),
        value if value >= 1e4 => format!("{}k", trim(value / 1e3)),
        value => trim(value),
    }
}

fn trim(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn y_of(scale: Scale, value: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * scale.place(value)
}

fn x_of(scale: Scale, value: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * scale.place(value)
}

/// The frame: lines and numbers of both axes.
fn begin(label: &str, x: Scale, moments: &[f64], y: Scale, units: (&str, &str)) -> String {
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(label)
    );
    for tick in y.ticks() {
        let at = y_of(y, tick);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 4.0,
            at + 4.0,
            short(tick)
        );
    }
    for tick in moments {
        let at = x_of(x, *tick);
        let anchor = if at > RIGHT - 20.0 { "end" } else { "middle" };
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {BOTTOM}v4\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            BOTTOM + 16.0,
            short(*tick)
        );
    }
    let under = HEIGHT - 4.0;
    let _ = write!(
        svg,
        "<text x=\"4\" y=\"{under}\">{}</text><text x=\"{RIGHT}\" y=\"{under}\" text-anchor=\"end\">{}</text>",
        escape(units.0),
        escape(units.1)
    );
    svg
}

/// Lines over time. `log`: the values on a scale of powers of ten.
pub(super) fn lines(label: &str, unit: &str, log: bool, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let values = || points().filter_map(|(_, value)| *value);
    let end = points().map(|(x, _)| *x).fold(1.0, f64::max);
    let largest = values().fold(0.0, f64::max);
    let smallest = values()
        .filter(|value| *value > 0.0)
        .fold(largest, f64::min);
    let y = if log {
        Scale::log(smallest, largest)
    } else {
        Scale::linear(largest)
    };
    let x = Scale::time(end);
    let mut svg = begin(label, x, &x.moments(), y, (unit, "s"));
    for (number, line) in lines.iter().enumerate() {
        let mut path = String::new();
        let mut drawing = false;
        for (at, value) in &line.points {
            let Some(value) = value else {
                drawing = false;
                continue;
            };
            let verb = if drawing { 'L' } else { 'M' };
            let _ = write!(path, "{verb}{:.1} {:.1}", x_of(x, *at), y_of(y, *value));
            if !drawing {
                // A point alone would not be seen.
                path.push_str("h.5");
            }
            drawing = true;
        }
        let _ = write!(svg, "<path class=\"line c{number}\" d=\"{path}\"/>");
    }
    svg.push_str("</svg>");
    svg.push_str(&legend(lines.iter().map(|line| line.name.as_str())));
    svg
}

/// Bars on two scales of powers of ten: from, to and how many.
pub(super) fn bars(label: &str, unit: &str, bars: &[(f64, f64, u64)], colour: usize) -> String {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else {
        return String::new();
    };
    let largest = bars.iter().map(|bar| bar.2).max().unwrap_or(1) as f64;
    let (x, y) = (
        Scale::log(first.0, last.1),
        Scale::log(1.0, largest.max(10.0)),
    );
    let mut svg = begin(label, x, &x.ticks(), y, ("", unit));
    for (from, to, count) in bars {
        if *count == 0 {
            continue;
        }
        let (left, right) = (x_of(x, *from), x_of(x, *to));
        // One of them is to be seen as well.
        let top = y_of(y, *count as f64).min(BOTTOM - 1.5);
        let _ = write!(
            svg,
            "<rect class=\"bar c{colour}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}–{} {}: {count}</title></rect>",
            (right - left - 0.6).max(0.6),
            BOTTOM - top,
            trim(*from),
            trim(*to),
            escape(unit)
        );
    }
    svg.push_str("</svg>");
    svg
}

fn legend<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut list = String::from("<ul class=\"legend\">");
    for (number, name) in names.enumerate() {
        let _ = write!(
            list,
            "<li><svg viewBox=\"0 0 24 8\" aria-hidden=\"true\"><path class=\"line c{number}\" d=\"M0 4H24\"/></svg> {}</li>",
            escape(name)
        );
    }
    list.push_str("</ul>");
    list
}

/// A text that may stand in the page.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_and_every_value_stands_on_it() {
        let scale = Scale::linear(730.0);
        assert_eq!((scale.from, scale.to), (0.0, 1_000.0));
        assert_eq!(scale.place(500.0), 0.5);
        let scale = Scale::log(0.7, 930.0);
        assert!((scale.from - 0.1).abs() < 1e-9 && (scale.to - 1_000.0).abs() < 1e-6);
        assert!((scale.place(10.0) - 0.5).abs() < 1e-9);
        assert_eq!(scale.ticks().len(), 5);
        for scale in [
            Scale::linear(0.0),
            Scale::log(0.0, 0.0),
            Scale::log(5.0, 5.0),
        ] {
            assert!((0.0..=1.0).contains(&scale.place(3.0)), "{scale:?}");
            assert!(scale.to > scale.from);
        }
    }

    #[test]
    fn a_time_is_told_in_whole_seconds_minutes_or_hours() {
        assert_eq!(Scale::time(18.0).moments(), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(Scale::time(600.0).moments().last(), Some(&600.0));
        assert_eq!(Scale::time(1.0).moments(), [0.0, 1.0]);
    }

    #[test]
    fn a_gap_in_the_values_is_a_gap_in_the_line() {
        let line = Line {
            name: "p99".into(),
            points: vec![
                (0.0, Some(1.0)),
                (1.0, None),
                (2.0, Some(3.0)),
                (3.0, Some(2.0)),
            ],
        };
        let svg = lines("a", "ms", true, &[line]);
        let path = svg.split("class=\"line c0\" d=\"").nth(1).unwrap();
        let path = path.split('"').next().unwrap();
        assert_eq!(
            (path.matches('M').count(), path.matches('L').count()),
            (2, 1)
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn an_empty_plot_is_a_plot() {
        let svg = lines("a", "ms", false, &[]);
        assert!(svg.starts_with("<svg") && !svg.contains("NaN"));
        assert_eq!(bars("a", "ms", &[], 0), "");
    }

    #[test]
    fn what_a_text_holds_is_no_markup() {
        assert_eq!(
            escape("<a href='\"&'>"),
            "&lt;a href=&#39;&quot;&amp;&#39;&gt;"
        );
    }
}
