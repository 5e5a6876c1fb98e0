-- What an operator prepares before the first migration: one database per service, and three roles. The owner has the tables
-- and runs migrations; siyu_app is what services log in as and owns nothing; siyu_job is what siyu_app becomes in the few
-- jobs that work across merchants. Since the roles are made here, the owner needs no right to create any.
create role siyu_owner login password 'owner';
create role siyu_app login noinherit password 'app';
create role siyu_job nologin;
grant siyu_job to siyu_app;
grant siyu_job to siyu_owner;

create database member owner siyu_owner;
create database "order" owner siyu_owner;
create database distribution owner siyu_owner;
create database messaging owner siyu_owner;
create database metrics owner siyu_owner;
create database gateway owner siyu_owner;
