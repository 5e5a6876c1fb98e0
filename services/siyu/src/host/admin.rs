//! `/livez` and `/readyz`: whether the process lives, and whether it may be given work. Neither asks anything of anyone.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use siyu_runtime::{CancellationToken, NotReady, Readiness};
use tokio::net::TcpListener;

/// Serves both until `stop`.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(readiness);
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, String) {
    match readiness.check() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reasons) => {
            let line = |reason: &NotReady| format!("{}: {}", reason.component, reason.reason);
            let text = reasons.iter().map(line).collect::<Vec<_>>().join("\n") + "\n";
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}
