//! Merges that are made up: the lower id stays, and who was said to be somebody else is not merged.

use super::*;
use siyu_proto::member::v1::identity_service_server::IdentityService;

impl Member {
    /// Does not answer the next questions whether persons are one.
    pub(crate) fn miss_merges(&self, merges: usize) {
        self.0.known.lock().unwrap().missed_merges = merges;
    }

    /// From now on the two are kept apart, or the data of the one were erased where both are the same.
    pub(crate) fn keep_apart(&self, one: &str, other: &str) {
        let mut known = self.0.known.lock().unwrap();
        known.apart.push((one.into(), other.into()));
    }
}

impl Known {
    /// Whom an id leads to.
    pub(super) fn canonical(&self, id: &str) -> String {
        let mut id = id;
        while let Some(next) = self.aliases.get(id) {
            id = next;
        }
        id.to_owned()
    }

    fn merge(&mut self, request: &MergePersonsRequest) -> Result<MergePersonsResponse, Fault> {
        let mut persons: Vec<String> =
            request.person_ids.iter().map(|id| self.canonical(id)).collect();
        persons.sort_unstable();
        persons.dedup();
        let refused = |reason| Err(Fault::new(Code::FailedPrecondition, reason, "as it is"));
        let [survivor, loser] = persons.as_slice() else { return refused("PERSONS_ALREADY_ONE") };
        let has = |pair: &(String, String)| self.apart.contains(pair);
        if persons.iter().any(|id| has(&(id.clone(), id.clone()))) {
            return refused("PERSON_ERASED");
        }
        let (survivor_person_id, pair) = (survivor.clone(), (survivor.clone(), loser.clone()));
        let conflict = has(&pair) || has(&(pair.1.clone(), pair.0.clone()));
        if !conflict {
            self.aliases.insert(pair.1, pair.0);
        }
        Ok(MergePersonsResponse { survivor_person_id, conflict, ..Default::default() })
    }
}

#[tonic::async_trait]
impl IdentityService for Member {
    async fn merge_persons(
        &self,
        request: Request<MergePersonsRequest>,
    ) -> Reply<MergePersonsResponse> {
        serve(request, async |ctx, request: MergePersonsRequest| {
            self.enter(&ctx)?;
            assert!(request.review_conflicts, "a card is no operator's word");
            let mut known = self.0.known.lock().unwrap();
            if known.missed_merges > 0 {
                known.missed_merges -= 1;
                return Err(Fault::new(Code::Unavailable, "MEMBER_AWAY", "as the test wishes"));
            }
            known.merge(&request)
        })
        .await
    }

    async fn unmerge_persons(
        &self,
        _: Request<UnmergePersonsRequest>,
    ) -> Reply<UnmergePersonsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_merges(&self, _: Request<ListMergesRequest>) -> Reply<ListMergesResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_merge_reviews(
        &self,
        _: Request<ListMergeReviewsRequest>,
    ) -> Reply<ListMergeReviewsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn decide_merge_review(
        &self,
        _: Request<DecideMergeReviewRequest>,
    ) -> Reply<DecideMergeReviewResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn release_identity(
        &self,
        _: Request<ReleaseIdentityRequest>,
    ) -> Reply<ReleaseIdentityResponse> {
        Err(Status::unimplemented("not asked"))
    }
}
