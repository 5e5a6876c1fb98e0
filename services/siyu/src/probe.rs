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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::transport::Server;
    use tonic_health::{ServingStatus as Health, server::health_reporter};

    use super::*;

    fn args(server: &str, service: &str) -> ProbeArgs {
        ProbeArgs {
            server: server.to_owned(),
            service: service.to_owned(),
            timeout_secs: 5,
            quiet: true,
        }
    }

    #[tokio::test]
    async fn the_exit_code_says_whether_it_serves() {
        let (reporter, health) = health_reporter();
        reporter.set_service_status("up", Health::Serving).await;
        reporter.set_service_status("down", Health::NotServing).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let serving = Server::builder()
            .add_service(health)
            .serve_with_incoming(TcpListenerStream::new(listener));
        let probes = async {
            assert_eq!(run(&args(&server, "")).await, Ok(Exit::Done));
            assert_eq!(run(&args(&server, "up")).await, Ok(Exit::Done));
            assert_eq!(run(&args(&server, "down")).await, Ok(Exit::Failed));
            let unknown = run(&args(&server, "ghost")).await.unwrap_err();
            assert_eq!(unknown.exit, Exit::Usage, "{unknown}");
        };
        tokio::select! {
            () = probes => {}
            ended = serving => panic!("the server ended: {ended:?}"),
        }
        let gone = run(&args(&server, "")).await.unwrap_err();
        assert_eq!(gone.exit, Exit::Unreachable, "{gone}");
    }
}
