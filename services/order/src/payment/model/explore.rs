//! Every world that can be reached, and the ways there.

use std::collections::{BTreeSet, HashMap};

use super::{Outside, World, step::next};

/// The worlds that were found, with what may come after each.
pub(super) struct Graph<const N: usize> {
    worlds: Vec<World<N>>,
    after: Vec<Vec<usize>>,
}

/// What is wrong, and the way there.
pub(super) type Wrong<const N: usize> = (String, Vec<World<N>>);

/// Finds every world; fails at the first one that should not be, at an end that is none of the three, and when some world
/// leads to no end.
pub(super) fn explore<const N: usize>(outside: Outside) -> Result<Graph<N>, Wrong<N>> {
    let start = World::start();
    let mut graph = Graph { worlds: vec![start], after: Vec::new() };
    let mut known = HashMap::from([(start, 0)]);
    let mut from = vec![0];
    let mut at = 0;
    while at < graph.worlds.len() {
        let world = graph.worlds[at];
        let mut after = Vec::new();
        for next in next(&world, outside) {
            let number = *known.entry(next).or_insert_with(|| {
                graph.worlds.push(next);
                from.push(at);
                graph.worlds.len() - 1
            });
            if number != at {
                after.push(number);
            }
        }
        let checked = world.check().and_then(|()| match after.as_slice() {
            [] => world.end().map(drop),
            [..] => Ok(()),
        });
        checked.map_err(|why| (why, way(&graph.worlds, &from, at)))?;
        graph.after.push(after);
        at += 1;
    }
    match graph.endless() {
        Some(at) => Err(("it never ends".to_owned(), way(&graph.worlds, &from, at))),
        None => Ok(graph),
    }
}

fn way<const N: usize>(worlds: &[World<N>], from: &[usize], mut at: usize) -> Vec<World<N>> {
    let mut way = vec![worlds[at]];
    while at != 0 {
        at = from[at];
        way.push(worlds[at]);
    }
    way.reverse();
    way
}

impl<const N: usize> Graph<N> {
    /// How many worlds there are.
    pub(super) const fn len(&self) -> usize {
        self.worlds.len()
    }

    /// The ends that were found.
    pub(super) fn ends(&self) -> Vec<&'static str> {
        let ended = self.worlds.iter().zip(&self.after).filter(|(_, after)| after.is_empty());
        let ends: BTreeSet<&str> = ended.map(|(world, _)| world.end().unwrap()).collect();
        ends.into_iter().collect()
    }

    /// A world from which no end can be reached.
    fn endless(&self) -> Option<usize> {
        let mut before = vec![Vec::new(); self.len()];
        for (at, after) in self.after.iter().enumerate() {
            for &next in after {
                before[next].push(at);
            }
        }
        let mut ends = vec![false; self.len()];
        let mut open: Vec<usize> =
            (0..self.len()).filter(|&at| self.after[at].is_empty()).collect();
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut ends[at], true) {
                open.extend(before[at].iter().filter(|&&at| !ends[at]));
            }
        }
        ends.iter().position(|ended| !ended)
    }
}
