//! One person out of two, and two out of one again: in one transaction, so that there is no half of it. Every capability
//! that keeps something by person is in the two lists here.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{Merge, Unmerge, store};
use crate::{
    App, account, blacklist, connection, consent, earning, household, owner, points, purchase, stage, value,
};

/// Tells every capability that two persons are one. A new one adds its line here and below.
async fn on_merge(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    account::on_merge(app, tx, merge).await?;
    earning::on_merge(app, tx, merge).await?;
    connection::on_merge(app, tx, merge).await?;
    consent::on_merge(app, tx, merge).await?;
    blacklist::on_merge(app, tx, merge).await?;
    purchase::on_merge(app, tx, merge).await?;
    owner::merge::on_merge(app, tx, merge).await?;
    points::merge::on_merge(app, tx, merge).await?;
    value::on_merge(app, tx, merge).await?;
    household::merge::on_merge(app, tx, merge).await?;
    // Last: stages follow from what all others keep.
    stage::merge::on_merge(app, tx, merge).await?;
    Ok(())
}

/// Tells every capability that a merge is undone.
async fn on_unmerge(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    account::on_unmerge(app, tx, unmerge).await?;
    earning::on_unmerge(app, tx, unmerge).await?;
    connection::on_unmerge(app, tx, unmerge).await?;
    consent::on_unmerge(app, tx, unmerge).await?;
    blacklist::on_unmerge(app, tx, unmerge).await?;
    purchase::on_unmerge(app, tx, unmerge).await?;
    owner::merge::on_unmerge(app, tx, unmerge).await?;
    value::on_unmerge(app, tx, unmerge).await?;
    household::merge::on_unmerge(app, tx, unmerge).await?;
    stage::merge::on_unmerge(app, tx, unmerge).await?;
    Ok(())
}

/// Makes the loser an alias of the survivor. Both are persons of their own, and the caller has locked them.
pub async fn apply(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    store::merge(tx, merge).await?;
    on_merge(app, tx, merge).await
}

/// Makes the loser a person again. The caller has locked both.
pub async fn undo(app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    store::unmerge(tx, unmerge).await?;
    on_unmerge(app, tx, unmerge).await
}
