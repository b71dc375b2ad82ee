# frozen_string_literal: true

desc 'Measure this gem beside iodine 0.7, Puma and Falcon into bench/RESULTS.md'
task(bench: :compile) { run 'bench/run' }
