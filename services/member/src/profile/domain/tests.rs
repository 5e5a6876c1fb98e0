use super::*;

fn lei() -> Profile {
    Profile {
        name: "李雷".into(),
        nickname: "Lei".into(),
        gender: Gender::Male.into(),
        birthday: "1990-05-17".into(),
        phone: "+8613800138000".into(),
        email: "lei.li@Shop.CN".into(),
        address: "中山路 1 号".into(),
        city: "上海".into(),
        ..Default::default()
    }
}

#[test]
fn what_is_personal_is_masked_and_the_rest_is_shown() {
    let shown = masked(lei());
    let personal = [shown.name, shown.birthday, shown.phone, shown.email, shown.address];
    assert_eq!(personal, ["李**", "****-05-**", "+86***8000", "l***@Shop.CN", "***"]);
    assert_eq!((shown.nickname.as_str(), shown.city.as_str()), ("Lei", "上海"));
    assert_eq!(masked(Profile::default()), Profile::default(), "nothing is masked to nothing");
}

#[test]
fn a_change_sets_what_the_mask_names_and_clears_what_is_empty_there() {
    let paths = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let new = Profile { nickname: "Han".into(), ..Default::default() };
    let mut known = lei();
    let (read_new, fields) = read(&new, &paths(&["nickname", "birthday"])).unwrap();
    apply(&mut known, read_new, &fields);
    assert_eq!((known.nickname.as_str(), known.birthday.as_str()), ("Han", ""));
    assert_eq!(known.name, "李雷");
    // Without a mask: what is not empty.
    let (read_new, fields) = read(&new, &[]).unwrap();
    assert_eq!(fields, [Field::Nickname]);
    let mut again = lei();
    apply(&mut again, read_new, &fields);
    assert_eq!(again, Profile { nickname: "Han".into(), ..lei() });
    assert_eq!(read(&lei(), &[]).unwrap().0.email, "lei.li@shop.cn");
}

#[test]
fn what_a_profile_cannot_hold_is_named() {
    let bad = Profile {
        gender: 9,
        birthday: "1990-02-30".into(),
        phone: "138".into(),
        email: "nobody".into(),
        avatar_url: "javascript:x".into(),
        language: "zh CN".into(),
        ..Default::default()
    };
    let refused = read(&bad, &["what".to_owned()]).unwrap_err();
    assert_eq!(refused.violations()[0].field, "update_mask");
    let refused = read(&bad, &[]).unwrap_err();
    let named: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    let all = ["gender", "birthday", "phone", "email", "avatar_url", "language"];
    assert_eq!(named, all.map(|name| format!("profile.{name}")));
}

#[test]
fn birthdays_have_a_month_and_a_day() {
    assert_eq!(birthday("1990-05-17"), Some((5, 17)));
    assert_eq!(birthday("--02-29"), Some((2, 29)));
    for bad in ["", "1990-02-29", "--02-30", "90-05-17", "1890-01-01", "1990-5-17"] {
        assert_eq!(birthday(bad), None, "{bad}");
    }
}

#[test]
fn gaps_are_filled_and_what_is_known_stays() {
    let mut known = Profile { name: "Han".into(), ..Default::default() };
    fill(&mut known, &lei());
    assert_eq!(known, Profile { name: "Han".into(), ..lei() });
}
