//! A canvas of braille dots: two by four of them in a character, nearly square.

#![expect(clippy::float_arithmetic, reason = "geometry of a drawing")]

const DOTS: (usize, usize) = (2, 4);
/// Every how many dots a dotted line has one.
const GAP: i32 = 3;
const BRAILLE: u32 = 0x2800;
/// The bit of each dot, by row and column within a character.
const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// Up, down left, down right, 120° apart.
const DIRECTIONS: [(f64, f64); 3] =
    [(0.0, -1.0), (-0.866_025_403_784_438_6, 0.5), (0.866_025_403_784_438_6, 0.5)];

/// A dot: columns to the right, rows down.
pub(super) type Dot = (i32, i32);

/// Dots that are set.
pub(super) struct Canvas {
    cells: Vec<Vec<u32>>,
    centre: (f64, f64),
    radius: f64,
}

impl Canvas {
    /// An empty canvas of so many characters, with the largest triangle that fits standing on its lower edge.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let edge = |cells: usize, dots: usize| {
            f64::from(u32::try_from(cells * dots - 1).expect("a canvas is small"))
        };
        let (right, bottom) = (edge(width, DOTS.0), edge(height, DOTS.1));
        // Its height is 1.5 radii, its width 2 × 0.866.
        let radius = (bottom / 1.5).min(right / 2.0 / DIRECTIONS[2].0);
        let centre = (right / 2.0, bottom - radius / 2.0);
        Self { cells: vec![vec![0; width]; height], centre, radius }
    }

    /// The middle of the triangle.
    pub(super) fn centre(&self) -> Dot {
        dot(self.centre)
    }

    /// A point on an axis, from 0 in the middle to 1 at the corner.
    pub(super) fn on_axis(&self, axis: usize, share: f64) -> Dot {
        let (x, y) = DIRECTIONS[axis];
        let reach = self.radius * share;
        dot((self.centre.0 + x * reach, self.centre.1 + y * reach))
    }

    pub(super) fn line(&mut self, from: Dot, to: Dot) {
        self.every(from, to, 1);
    }

    pub(super) fn dotted(&mut self, from: Dot, to: Dot) {
        self.every(from, to, GAP);
    }

    /// The canvas as text.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let character = |&bits: &u32| match bits {
            0 => ' ',
            bits => char::from_u32(BRAILLE + bits).expect("the block has 256 characters"),
        };
        self.cells.iter().map(move |row| row.iter().map(character).collect())
    }

    fn every(&mut self, from: Dot, to: Dot, gap: i32) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).max(1);
        for step in (0..=steps).filter(|step| step % gap == 0) {
            let at = |start: i32, distance: i32| {
                start + (2 * distance * step + steps).div_euclid(2 * steps)
            };
            self.set((at(from.0, dx), at(from.1, dy)));
        }
    }

    fn set(&mut self, (x, y): Dot) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        let cell = self.cells.get_mut(y / DOTS.1).and_then(|row| row.get_mut(x / DOTS.0));
        if let Some(cell) = cell {
            *cell |= BITS[y % DOTS.1][x % DOTS.0];
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; points lie on a small canvas")]
fn dot((x, y): (f64, f64)) -> Dot {
    (x.round() as i32, y.round() as i32)
}
