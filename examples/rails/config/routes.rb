# frozen_string_literal: true

Rails.application.routes.draw do
  root 'notes#index'
  get 'notes/export', to: 'exports#show', as: :export
  resources :notes
end
