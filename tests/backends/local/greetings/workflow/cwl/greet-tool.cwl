cwlVersion: v1.0
class: CommandLineTool
requirements:
  DockerRequirement:
    dockerPull: docker.io/library/python:3.11
baseCommand: python
inputs:
  script: {type: File, inputBinding: {position: 1}}
  names: {type: File, inputBinding: {position: 2, prefix: --names}}
  target: {type: string, inputBinding: {position: 3, prefix: --greetings}}
outputs:
  greetings: {type: File, outputBinding: {glob: $(inputs.target)}}
