//! A bounded number of calls at work, a bounded number in wait for a bounded time; the rest is refused at once and told when
//! to come back. Under overload a server answers fewer calls as fast as ever, not all of them too late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Response;
use siyu_kernel::{Code, Fault};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tonic::body::Body;

use super::Target;
use crate::{access::Audience, settings::Settings};

#[derive(Debug)]
pub(super) struct Shed {
    outside: Gate,
    /// Siblings have places of their own: a flood of merchants' calls must not stop the flow of events.
    inside: Gate,
}

#[derive(Debug)]
struct Gate {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    wait: Duration,
}

/// The right to work on one call, given back when dropped.
#[derive(Debug)]
pub(super) struct Place(Option<OwnedSemaphorePermit>);

impl Shed {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { outside: Gate::new(settings), inside: Gate::new(settings) }
    }

    /// A place for a call, or `OVERLOADED`.
    pub(super) async fn place(&self, target: Target<'_>) -> Result<Place, Fault> {
        match target {
            // A probe that an overload refuses would have the process killed for being busy.
            Target::Open(_) => Ok(Place(None)),
            Target::Method(rule) if rule.audience() == Some(Audience::Internal) => {
                self.inside.place().await
            }
            Target::Method(_) | Target::Unknown => self.outside.place().await,
        }
    }
}

impl Gate {
    fn new(settings: &Settings) -> Self {
        Self {
            places: Arc::new(Semaphore::new(settings.in_flight_max)),
            waiting: AtomicUsize::new(0),
            waiting_max: settings.waiting_max,
            wait: Duration::from_millis(settings.wait_millis),
        }
    }

    async fn place(&self) -> Result<Place, Fault> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(Place(Some(place)));
        }
        let _waiting = Waiting::new(&self.waiting, self.waiting_max).ok_or_else(overloaded)?;
        match tokio::time::timeout(self.wait, self.places.clone().acquire_owned()).await {
            Ok(place) => Ok(Place(Some(place.expect("the places are never closed")))),
            Err(_) => Err(overloaded()),
        }
    }
}

impl Place {
    /// Keeps the place until the reply has been sent, where that takes time: a stream works while it sends.
    pub(super) fn held_by(
        self,
        response: Response<Body>,
        target: Target<'_>,
        deadline: Option<Instant>,
    ) -> Response<Body> {
        if !target.is_stream() || self.0.is_none() {
            return response;
        }
        response.map(|body| Body::new(super::stream::Held::new(body, self, deadline)))
    }
}

fn overloaded() -> Fault {
    Fault::new(Code::Unavailable, "OVERLOADED", "too many calls at once, repeat later")
}

/// One call in wait; counted down however the wait ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize, max: usize) -> Option<Self> {
        let waiting = Self(count);
        // Counted first and looked at after: two that come at once cannot both take the last place.
        (count.fetch_add(1, Ordering::SeqCst) < max).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
