#!/usr/bin/env node
// Validates HAR files against the HAR 1.2 schema, with har-validator.
//
//   node check.js FILE...          "-" is stdin
//   node check.js --k6 FILE...     makes a script of each with har-to-k6, too
//   node check.js --json FILE...   the same, one JSON object a file: file, har-validator, k6 (lists of errors)
//
// Says "FILE: valid, N entries" or each error with the entry it is in. Exit 1 if a file is invalid, 2 if none is named.
'use strict'

const fs = require('fs')
const validator = require('har-validator/lib/async')

console.warn = () => {} // of har-to-k6: it takes what it warns of

// place says where an error is: the entry by its number and request, then the path within it.
function place (har, path) {
  const m = /^\.log\.entries\[(\d+)\](.*)$/.exec(path)
  if (!m) return path || 'file'
  const request = har.log.entries[m[1]]?.request
  return `entry ${m[1]} (${request?.method} ${request?.url}) ${m[2]}`
}

// validatorErrors returns what har-validator says.
function validatorErrors (har) {
  const errors = []
  validator.har(har, (err) => {
    for (const e of err ? err.errors : []) {
      errors.push(`${place(har, e.dataPath)}: ${e.message}`)
    }
  })
  return errors
}

// k6Errors returns what har-to-k6 throws.
async function k6Errors (har) {
  const { liHARToK6Script } = require('har-to-k6')
  try {
    await liHARToK6Script(har)
    return []
  } catch (e) {
    return [`har-to-k6: ${e.message}`]
  }
}

// errorsOf returns what is wrong with the text of one file, by importer.
async function errorsOf (text, withK6) {
  let har
  try {
    har = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (e) {
    return { validator: [e.message], k6: withK6 ? [e.message] : [] }
  }
  // The validator takes null, false and the like for an empty object.
  if (har === null || typeof har !== 'object') return { validator: ['not a JSON object'], k6: withK6 ? ['not a JSON object'] : [] }
  const k6 = withK6 ? await k6Errors(JSON.parse(JSON.stringify(har))) : [] // it changes what it gets
  return { validator: validatorErrors(har), k6, entries: har.log?.entries?.length }
}

async function main () {
  const files = process.argv.slice(2)
  const json = files[0] === '--json'
  const withK6 = json || files[0] === '--k6'
  if (withK6) files.shift()
  if (files.length === 0) {
    console.error('usage: check.js [--k6|--json] FILE...')
    process.exit(2)
  }
  for (const file of files) {
    let result
    try {
      result = await errorsOf(fs.readFileSync(file === '-' ? 0 : file, 'utf8'), withK6)
    } catch (e) {
      result = { validator: [e.message], k6: withK6 ? [e.message] : [] }
    }
    const errors = [...result.validator, ...result.k6]
    if (errors.length > 0) process.exitCode = 1
    if (json) {
      console.log(JSON.stringify({ file, 'har-validator': result.validator, k6: result.k6 }))
      continue
    }
    if (errors.length === 0) console.log(`${file}: valid, ${result.entries} entries`)
    for (const e of errors) console.log(`${file}: ${e}`)
  }
}

main()
