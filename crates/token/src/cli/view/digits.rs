/// Rows of a large digit on the screen: two rows of dots each.
const ROWS: [(usize, usize); 4] = [(0, 1), (2, 3), (4, 5), (6, 7)];

/// Columns that six large digits take: five dots each, one between, three in the middle.
pub(super) const COLUMNS: usize = 6 * 5 + 4 + 3;

/// Dots of 0 to 9, five wide and seven high, the highest row first, the left dot in bit 4.
const DOTS: [[u8; 7]; 10] = [
    [
        0b01110, 0b11011, 0b11011, 0b11011, 0b11011, 0b11011, 0b01110,
    ],
    [
        0b00110, 0b01110, 0b00110, 0b00110, 0b00110, 0b00110, 0b01111,
    ],
    [
        0b01110, 0b11011, 0b00011, 0b00110, 0b01100, 0b11000, 0b11111,
    ],
    [
        0b01110, 0b11011, 0b00011, 0b00110, 0b00011, 0b11011, 0b01110,
    ],
    [
        0b00011, 0b00111, 0b01111, 0b11011, 0b11111, 0b00011, 0b00011,
    ],
    [
        0b11111, 0b11000, 0b11110, 0b00011, 0b00011, 0b11011, 0b01110,
    ],
    [
        0b01110, 0b11000, 0b11110, 0b11011, 0b11011, 0b11011, 0b01110,
    ],
    [
        0b11111, 0b00011, 0b00011, 0b00110, 0b00110, 0b01100, 0b01100,
    ],
    [
        0b01110, 0b11011, 0b11011, 0b01110, 0b11011, 0b11011, 0b01110,
    ],
    [
        0b01110, 0b11011, 0b11011, 0b01111, 0b00011, 0b00011, 0b01110,
    ],
];

/// The code in block characters, four rows of [`COLUMNS`] columns, in two groups of three.
pub(super) fn large(code: &str) -> [String; 4] {
    ROWS.map(|(upper, lower)| {
        let mut row = String::with_capacity(COLUMNS * 3);
        for (place, digit) in code.chars().enumerate() {
            row.push_str(match place {
                0 => "",
                3 => "   ",
                _ => " ",
            });
            push_digit(&mut row, digit, upper, lower);
        }
        row
    })
}

fn push_digit(row: &mut String, digit: char, upper: usize, lower: usize) {
    let dots = digit
        .to_digit(10)
        .and_then(|value| DOTS.get(usize::try_from(value).ok()?))
        .copied()
        .unwrap_or_default();
    // The eighth row of dots does not exist: the last row of the screen is half empty.
    let (upper, lower) = (
        dots.get(upper).copied().unwrap_or(0),
        dots.get(lower).copied().unwrap_or(0),
    );
    for bit in (0..5).rev() {
        row.push(match (upper >> bit & 1, lower >> bit & 1) {
            (0, 0) => ' ',
            (1, 0) => '▀',
            (0, _) => '▄',
            _ => '█',
        });
    }
}
