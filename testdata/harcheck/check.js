#!/usr/bin/env node
// Validates HAR files against the HAR 1.2 schema.
//
//   node check.js FILE...        "-" is stdin
//
// Says "FILE: valid, N entries" or each error with the entry it is in. Exit 1 if a file is invalid, 2 if none is named.
'use strict'

const fs = require('fs')
const validator = require('har-validator/lib/async')

// place says where an error is: the entry by its number and request, then the path within it.
function place (har, path) {
  const m = /^\.log\.entries\[(\d+)\](.*)$/.exec(path)
  if (!m) return path || 'file'
  const request = har.log.entries[m[1]]?.request
  return `entry ${m[1]} (${request?.method} ${request?.url}) ${m[2]}`
}

// errorsOf returns the lines that are wrong with the text of one file.
function errorsOf (text) {
  let har
  try {
    har = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (e) {
    return { errors: [e.message] }
  }
  // The validator takes null, false and the like for an empty object.
  if (har === null || typeof har !== 'object') return { errors: ['not a JSON object'] }
  const errors = []
  validator.har(har, (err) => {
    for (const e of err ? err.errors : []) {
      errors.push(`${place(har, e.dataPath)}: ${e.message}`)
    }
  })
  return { errors, entries: har.log?.entries?.length }
}

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('usage: check.js FILE...')
  process.exit(2)
}
for (const file of files) {
  let result
  try {
    result = errorsOf(fs.readFileSync(file === '-' ? 0 : file, 'utf8'))
  } catch (e) {
    result = { errors: [e.message] }
  }
  if (result.errors.length === 0) {
    console.log(`${file}: valid, ${result.entries} entries`)
    continue
  }
  process.exitCode = 1
  for (const e of result.errors) console.log(`${file}: ${e}`)
}
