/**
 * The scripts that shells read. Each hands the words up to the cursor to `lastgood complete`, which answers with one
 * line per candidate: the word, a tab, a description. Without an answer the shell offers files.
 *
 * 1. No word of the line is ever evaluated; its quotes are removed.
 */
export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const
export type Shell = (typeof shells)[number]

export const isShell = (name: string): name is Shell => shells.some((shell) => shell === name)

export const scriptFor = (shell: Shell): string => scripts[shell]

const bash = `# Completes lastgood and resume in bash.
_lastgood_complete() {
  local line word
  local -a words
  words=()
  [ "\${COMP_WORDS[0]##*/}" = resume ] && words=(resume)
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    case $word in
      [\\'\\"]*) word=\${word:1}; word=\${word%[\\'\\"]} ;;
      *) word=\${word//\\\\/} ;;
    esac
    words+=("$word")
  done
  COMPREPLY=()
  while IFS= read -r line; do
    [ -n "$line" ] && COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(lastgood complete -- "\${words[@]}" 2>/dev/null)
}
complete -o default -F _lastgood_complete lastgood
complete -o default -F _lastgood_complete resume
`

const zsh = `#compdef lastgood resume
# Completes lastgood and resume in zsh.
_lastgood_complete() {
  local line
  local -a found before
  [[ \${words[1]:t} == resume ]] && before=(resume)
  for line in "\${(@f)$(lastgood complete -- "\${before[@]}" "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#found} )); then
    _describe -V lastgood found
  else
    _files
  fi
}
compdef _lastgood_complete lastgood resume
`

const fish = `# Completes lastgood and resume in fish.
function __lastgood_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l found (lastgood complete -- $argv $before[2..] "$current" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c lastgood -f -k -a '(__lastgood_complete)'
complete -c resume -f -k -a '(__lastgood_complete resume)'
`

const powershell = `# Completes lastgood and resume in PowerShell.
Register-ArgumentCompleter -Native -CommandName @('lastgood', 'resume') -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $words = @($elements | Select-Object -Skip 1)
  if ((Split-Path -Leaf $elements[0]) -match '^resume') { $words = @('resume') + $words }
  # An empty word at the end would not be handed over by every version.
  $new = @()
  if ($wordToComplete -eq '') { $new = @('--new-word') }
  lastgood complete @new '--' @words 2>$null | ForEach-Object {
    $value, $about = $_ -split "\`t", 2
    if (-not $about) { $about = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
  }
}
`

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish, powershell }
