cwlVersion: v1.0
class: Workflow
inputs:
  script: File
  names: File
  target: string
outputs:
  greetings:
    type: File
    outputSource: greet/greetings
steps:
  greet:
    run: greet-tool.cwl
    in: {script: script, names: names, target: target}
    out: [greetings]
