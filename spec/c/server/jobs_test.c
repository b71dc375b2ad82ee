#include "../../../ext/iodine/base/alloc.h"
#include "../../../ext/iodine/server/jobs.h"
#include "../test.h"

#include <string.h>

static int released;
static void on_released(iod_release_job_t *job) {
  (void)job;
  released++;
}

static iod_job_t *call_job(void) {
  iod_job_t *job = iod_alloc_zero(sizeof *job);
  job->kind = IOD_JOB_CALL;
  return job;
}

static iod_request_t *request_job(uint8_t gone) {
  iod_request_t *r = iod_alloc_zero(sizeof *r);
  r->job.kind = IOD_JOB_REQUEST;
  atomic_store(&r->references, 1);
  atomic_store(&r->gone, gone);
  return r;
}

TEST(jobs_order) {
  test_case("first in, first out, but for those that go first");
  iod_jobs_t jobs;
  iod_jobs_init(&jobs);
  iod_job_t *a = call_job(), *b = call_job(), *c = call_job();
  iod_jobs_push(&jobs, a, false);
  iod_jobs_push(&jobs, b, false);
  iod_jobs_push(&jobs, c, true);
  CHECK(iod_jobs_take(&jobs) == c);
  CHECK(iod_jobs_take(&jobs) == a);
  CHECK(iod_jobs_take(&jobs) == b);
  CHECK(iod_jobs_take(&jobs) == NULL);
  CHECK_INT(jobs.waiting, 0);
  iod_free(a), iod_free(b), iod_free(c);
  iod_jobs_deinit(&jobs, on_released);
}

TEST(jobs_of_the_gone) {
  test_case("a request whose client is gone is dropped; one whose client sent FIN is served after the others");
  iod_jobs_t jobs;
  iod_jobs_init(&jobs);
  iod_request_t *gone = request_job(IOD_GONE), *half = request_job(IOD_GONE_HALF), *here = request_job(IOD_HERE);
  iod_jobs_push(&jobs, &gone->job, false);
  iod_jobs_push(&jobs, &half->job, false);
  iod_jobs_push(&jobs, &here->job, false);
  CHECK(iod_jobs_take(&jobs) == &here->job);
  CHECK(iod_jobs_take(&jobs) == &half->job);
  CHECK(iod_jobs_take(&jobs) == NULL);
  iod_request_unref(half), iod_request_unref(here);
  iod_jobs_deinit(&jobs, on_released);
}

TEST(jobs_of_those_that_hang_up) {
  test_case("a request whose client sends FIN in the queue goes behind, once, and doesn't count as waiting any more");
  iod_jobs_t jobs;
  iod_jobs_init(&jobs);
  iod_request_t *a = request_job(IOD_HERE), *b = request_job(IOD_HERE);
  iod_jobs_push(&jobs, &a->job, false);
  iod_jobs_push(&jobs, &b->job, false);
  iod_job_t *call = call_job();
  iod_jobs_push(&jobs, call, false);
  CHECK_INT(jobs.requests, 2);
  iod_jobs_put_behind(&jobs, &a->job);
  iod_jobs_put_behind(&jobs, &a->job);
  CHECK_INT(jobs.requests, 1);
  CHECK_INT(jobs.waiting, 3);
  CHECK(iod_jobs_take(&jobs) == &b->job);
  CHECK(iod_jobs_take(&jobs) == call);
  CHECK_INT(jobs.requests, 0);
  CHECK(iod_jobs_remove(&jobs, &a->job));
  iod_jobs_put_behind(&jobs, &a->job);
  CHECK_INT(jobs.requests, 0);
  CHECK_INT(jobs.waiting, 0);
  iod_request_unref(a), iod_request_unref(b), iod_free(call);
  iod_jobs_deinit(&jobs, on_released);
}

TEST(jobs_remove) {
  test_case("a job leaves from any place, once, and not when it is taken");
  iod_jobs_t jobs;
  iod_jobs_init(&jobs);
  iod_job_t *row[5];
  for (int i = 0; i < 5; i++) iod_jobs_push(&jobs, row[i] = call_job(), false);
  CHECK(iod_jobs_remove(&jobs, row[0]));
  CHECK(iod_jobs_remove(&jobs, row[2]));
  CHECK(iod_jobs_remove(&jobs, row[4]));
  CHECK(!iod_jobs_remove(&jobs, row[4]));
  CHECK_INT(jobs.waiting, 2);
  CHECK(iod_jobs_take(&jobs) == row[1]);
  CHECK(!iod_jobs_remove(&jobs, row[1]));
  iod_jobs_push(&jobs, row[0], false);
  CHECK(iod_jobs_take(&jobs) == row[3]);
  CHECK(iod_jobs_take(&jobs) == row[0]);
  CHECK(iod_jobs_take(&jobs) == NULL);
  for (int i = 0; i < 5; i++) iod_free(row[i]);
  iod_jobs_deinit(&jobs, on_released);
}

TEST(jobs_fairness) {
  test_case("one in 64 is of those behind, however many come");
  iod_jobs_t jobs;
  iod_jobs_init(&jobs);
  iod_request_t *half = request_job(IOD_GONE_HALF);
  int before = 0;
  iod_jobs_push(&jobs, &half->job, false);
  for (int i = 0; i < 100; i++) iod_jobs_push(&jobs, call_job(), false);
  for (iod_job_t *job; (job = iod_jobs_take(&jobs)) != &half->job; before++) iod_free(job);
  CHECK(before <= 64);
  iod_request_unref(half);
  iod_jobs_deinit(&jobs, on_released);
}

TEST(jobs_deinit) {
  test_case("what is left is dropped, borrowed memory is given back");
  iod_jobs_t jobs;
  iod_release_job_t release = {.job.kind = IOD_JOB_RELEASE};
  released = 0;
  iod_jobs_init(&jobs);
  iod_jobs_push(&jobs, call_job(), false);
  iod_jobs_push(&jobs, &request_job(IOD_HERE)->job, false);
  iod_jobs_push(&jobs, &release.job, false);
  iod_jobs_deinit(&jobs, on_released);
  CHECK_INT(released, 1);
}
