//! `siyu probe`: the health check of a container that has no other client.

use std::time::Duration;

use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    cli::{OutputArgs, ProbeArgs},
    client::{self, channel},
    exit::{Exit, Failure},
    output::Output,
};

/// Runs the command.
///
/// # Errors
/// [`Failure`]
pub async fn run(args: &ProbeArgs) -> Result<Exit, Failure> {
    let limit = Duration::from_secs(args.timeout_secs);
    let late = |_| Failure::unreachable(format!("no answer within {} s", args.timeout_secs));
    let status = tokio::time::timeout(limit, ask(args)).await.map_err(late)??;
    let output = Output::new(&OutputArgs { quiet: args.quiet, ..OutputArgs::default() });
    output.note(status.as_str_name().to_lowercase());
    Ok(if status == ServingStatus::Serving { Exit::Done } else { Exit::Failed })
}

async fn ask(args: &ProbeArgs) -> Result<ServingStatus, Failure> {
    // The port of a probe is one of the same host or network; it needs no authority of its own.
    let mut health = HealthClient::new(channel(&args.server, None).await?);
    match health.check(HealthCheckRequest { service: args.service.clone() }).await {
        Ok(reply) => Ok(reply.into_inner().status()),
        Err(status) if status.code() == Code::NotFound => {
            Err(Failure::usage(format!("{} has no service \"{}\"", args.server, args.service)))
        }
        Err(status) => Err(Failure::unreachable(client::words(&status))),
    }
}
